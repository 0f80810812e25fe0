/* A worker that lies, before a coordinator with connections and jobs in every
 * state: each job is answered at most once, and another worker's hosts do not
 * notice. Input: messages of {type, host, place of the job, and for each field
 * one byte of length and the bytes}; a field "=" stands for what would be
 * right (the dial, the xid). */
#include "fleet/inside.h"
#include "fuzz.h"

#include <unistd.h>

enum { HANDS = 2, HOSTS = 4, JOBS = 10 };

/* One job asked for, and how often it was answered. */
struct asked {
	uint32_t id;
	enum seam_type type;
	int hand;
	int answers;
};

struct scene {
	struct loop *loop;
	struct fleet fleet;
	struct hand hands[HANDS];
	int far_ends[HANDS];
	struct asked asked[JOBS];
	size_t count;
};

static struct ssh_settings settings = {
    .name = "web1", .address = "10.0.0.1", .port = 22, .user = "ops"};
static const char *keys[] = {"ssh-ed25519 AAAA"};
static struct place places[] = {{"known_hosts", 1, 1}};
static struct host_keys known = {keys, places, 1, "ssh-ed25519"};
static char xid[] = "0123456789abcdef0123456789abcdef";

static void
answered(void *arg, const struct answer *answer)
{
	struct asked *asked = arg;

	fuzz_check(++asked->answers == 1);
	fuzz_check(answer->kind <= ANSWER_FAILED);
}

static void
ask(struct scene *scene, enum seam_type type, int host, int hand)
{
	struct fleet *fleet = &scene->fleet;
	struct asked *asked = &scene->asked[scene->count++];
	struct job *job = job_new(fleet, type, host, 1000, answered, asked);
	struct link *link = host >= 0 ? fleet->links[host] : NULL;

	if (type == SEAM_LAUNCH || type == SEAM_SETTLE)
		job->xid = xstrdup(xid);
	if (type == SEAM_OPEN)
		link->connect = job;
	else
		job_place(job,
		    link != NULL ? &link->jobs : &scene->hands[hand].jobs,
		    &scene->hands[hand]);
	asked->id = job->id;
	asked->type = type;
	asked->hand = hand;
}

static void
link_with(struct scene *scene, int host, enum link_state state, int hand)
{
	struct link *link = link_get(&scene->fleet, host);

	link->state = state;
	link->hand = &scene->hands[hand];
	link->hand->links++;
	link->dial = 7;
	link->how.ssh = &settings;
	link->how.become = "none";
	link->keys = &known;
	link->tries = 1;
	if (state == LINK_OPENING) {
		scene->fleet.dialling++;
		ask(scene, SEAM_OPEN, host, hand);
	}
}

static void
scene_open(struct scene *scene)
{
	struct fleet *fleet = &scene->fleet;
	struct err err = ERR_INIT;
	int pair[2];

	memset(scene, 0, sizeof(*scene));
	fuzz_check(loop_open(&scene->loop, &err) == 0);
	fleet->loop = scene->loop;
	fleet->world = &world_real;
	fleet->dials_at_once = 4;
	TAILQ_INIT(&fleet->waiting);
	TAILQ_INIT(&fleet->late);
	STAILQ_INIT(&fleet->given);
	LIST_INIT(&fleet->signing);
	for (int i = 0; i < HANDS; i++) {
		fuzz_check(seam_pair(pair, &err) == 0);
		scene->hands[i].fleet = fleet;
		scene->hands[i].index = i;
		scene->hands[i].seam = seam_new(pair[0], SEAM_ANSWER_MAX);
		scene->far_ends[i] = pair[1];
		TAILQ_INIT(&scene->hands[i].jobs);
	}
	fleet->hands = scene->hands;
	fleet->hand_count = HANDS;
	link_with(scene, 0, LINK_OPEN, 0);
	ask(scene, SEAM_PROBE, 0, 0);
	ask(scene, SEAM_LAUNCH, 0, 0);
	ask(scene, SEAM_CHECK, 0, 0);
	ask(scene, SEAM_SETTLE, 0, 0);
	link_with(scene, 1, LINK_OPENING, 0);
	link_with(scene, 2, LINK_OPEN, 1); /* of the honest one */
	ask(scene, SEAM_LAUNCH, 2, 1);
	ask(scene, SEAM_EVAL, -1, 0);
	ask(scene, SEAM_DESCRIBE, -1, 0);
	ask(scene, SEAM_CHECK_NET, -1, 1);
	(void)link_get(fleet, 3);
}

static void
scene_close(struct scene *scene)
{
	struct fleet *fleet = &scene->fleet;
	struct job *job;

	for (size_t i = 0; i < fleet->link_size; i++) {
		link_free(fleet->links[i]);
		fleet->links[i] = NULL;
	}
	loop_timer_stop(fleet->pump);
	loop_timer_stop(fleet->late_timer);
	for (int i = 0; i < HANDS; i++) {
		while ((job = TAILQ_FIRST(&scene->hands[i].jobs)) != NULL)
			job_drop(job);
		seam_free(scene->hands[i].seam);
		close(scene->far_ends[i]);
	}
	while ((job = TAILQ_FIRST(&fleet->late)) != NULL)
		job_drop(job);
	free(fleet->links);
	free(fleet->slots);
	free(fleet->library);
	loop_close(scene->loop);
}

/* The next message of the input; its fields are taken into arena. */
static void
read_message(struct fuzz_input *in, struct arena *arena,
    const struct scene *scene, struct seam_message *message)
{
	memset(message, 0, sizeof(*message));
	message->type =
	    SEAM_READY + fuzz_take(in, 1) % (SEAM_TYPES - SEAM_READY);
	message->host = fuzz_take(in, 1) % (HOSTS + 1);
	if (message->host == HOSTS)
		message->host = 1u << 31;
	message->job = scene->asked[fuzz_take(in, 1) % JOBS].id;
	message->fd = -1;
	message->count = seam_field_count(message->type);
	for (size_t i = 0; i < message->count; i++) {
		size_t len = fuzz_take(in, 1);
		char *piece = fuzz_piece(in, &len);
		const char *field = arena_copy(arena, piece, len);

		free(piece);
		if (strcmp(field, "=") == 0) {
			field = message->type == SEAM_VERDICT ? xid : "7";
			len = strlen(field);
		}
		message->fields[i] = (struct bytes){field, len};
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct scene *scene = xmalloc(sizeof(*scene));
	struct arena *arena = arena_new();
	struct seam_message message;
	struct err err = ERR_INIT;

	scene_open(scene);
	while (in.size > 0) {
		read_message(&in, arena, scene, &message);
		/* the agent is another process: not here */
		if (message.type == SEAM_SIGN)
			continue;
		if (receive_message(&scene->hands[0], &message, &err) < 0) {
			fuzz_check(err.code == ERR_INTERNAL);
			break;
		}
	}
	for (size_t i = 0; i < scene->count; i++)
		fuzz_check(
		    scene->asked[i].hand == 0 || scene->asked[i].answers == 0);
	fuzz_check(scene->fleet.links[2]->state == LINK_OPEN);
	scene_close(scene);
	arena_free(arena);
	free(scene);
	return 0;
}
