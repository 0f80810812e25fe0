/*
 * Who counts: each approval by itself (form, signature, person, what it says,
 * when), then all together (one person once, one key one person), then the
 * number. Every doubt means that it does not count. Trusts nothing of an
 * approval but the time at which the journal has it.
 */
#include "approval/approval.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "openssh/openssh.h"

struct judged {
	struct statement said;
	bool holds; /* form, signature and content; person and key are true */
};

static bool
rule_says(const struct approval_rule *rule, const struct statement *said,
    struct bytes text)
{
	struct statement wanted = *rule->change;
	struct buf out = BUF_INIT;
	bool same;

	wanted.decision = said->decision;
	wanted.person = said->person;
	wanted.not_before_ms = said->not_before_ms;
	wanted.not_after_ms = said->not_after_ms;
	wanted.nonce = said->nonce;
	statement_write(&out, &wanted);
	same = bytes_equal(buf_bytes(&out), text);
	buf_free(&out);
	return same;
}

/* Form, signature and content; gives why not, or NULL. Fails only when the
 * signature could not be looked at: a rejection must not be overlooked because
 * a disk was full. */
static int
judge_one(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approval, struct judged *judged,
    struct approval_verdict *verdict, struct err *err)
{
	struct err why = ERR_INIT;
	const char *signer = "", *fingerprint = "";
	bool rejects;
	int r;

	if (statement_parse(arena, approval->statement, &judged->said, &why) <
	    0) {
		verdict->why_not = arena_strdup(arena, why.text);
		return 0;
	}
	verdict->person = judged->said.person;
	rejects = strcmp(judged->said.decision, "reject") == 0;
	r = openssh_verify(arena, rule->allowed_signers,
	    rejects ? "reject@hoshu" : "approve@hoshu", approval->statement,
	    approval->signature, approval->wall_ms, &signer, &fingerprint,
	    &why);
	if (r < 0 && r != -ERR_APPROVAL)
		return err_set(err, why.code, "%s", why.text);
	if (r < 0) {
		verdict->why_not = arena_strdup(arena, why.text);
		return 0;
	}
	verdict->fingerprint = fingerprint;
	if (strcmp(signer, judged->said.person) != 0) {
		verdict->why_not = arena_printf(arena,
		    _("it says %s, but the key that signed is %s's"),
		    judged->said.person, signer);
	} else if (!rule_says(rule, &judged->said, approval->statement)) {
		verdict->why_not =
		    _("it is for another state of the change: plan, hosts, "
		      "files, modules or preview are not what was signed");
	} else {
		judged->holds = true;
		verdict->rejects = rejects;
	}
	return 0;
}

/* Times and the submitter; only approvals are judged by them: a rejection
 * stands until a new change is submitted. */
static const char *
judge_rules(const struct approval_rule *rule, const struct approval *approval,
    const struct statement *said)
{
	/* a clock that went back would make an expired one valid again */
	if (rule->now_ms < approval->wall_ms)
		return _("it was recorded later than now; set this machine's "
			 "clock");
	if (approval->wall_ms < rule->preview_wall_ms)
		return _("it was made before the preview existed");
	if (said->not_after_ms <= said->not_before_ms)
		return _("it ends before it begins");
	if (rule->now_ms < said->not_before_ms)
		return _("it is not valid yet");
	if (!rule->later && rule->now_ms >= said->not_after_ms)
		return _("it has expired");
	if (rule->later && rule->now_ms >= said->not_before_ms + said->later_ms)
		return _("its time for hosts that are away is over");
	if (!rule->solo && strcmp(said->person, rule->submitter) == 0)
		return _("whoever submitted a change does not count for it");
	return NULL;
}

/* A key that two persons signed with proves neither; a person counts once. */
static const char *
judge_others(struct arena *arena, const struct judged *judged,
    const struct approval_verdict *verdicts, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++) {
		if (i == at || !judged[i].holds)
			continue;
		if (strcmp(verdicts[i].fingerprint, verdicts[at].fingerprint) ==
			0 &&
		    strcmp(verdicts[i].person, verdicts[at].person) != 0)
			return arena_printf(arena,
			    _("its key also signed as %s; one key is one "
			      "person"),
			    verdicts[i].person);
		if (i < at && verdicts[i].counts &&
		    strcmp(verdicts[i].person, verdicts[at].person) == 0)
			return arena_printf(arena,
			    _("%s counts once, however many signatures there "
			      "are"),
			    verdicts[at].person);
	}
	return NULL;
}

static int
judge_all(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count,
    struct approval_verdict *verdicts, int *persons, struct err *err)
{
	struct judged *judged = arena_array(arena, struct judged, count);
	int r;

	*persons = 0;
	for (size_t i = 0; i < count; i++) {
		verdicts[i].person = verdicts[i].fingerprint = "";
		r = judge_one(
		    arena, rule, &approvals[i], &judged[i], &verdicts[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++) {
		const char *why = verdicts[i].why_not;

		if (why == NULL && verdicts[i].rejects)
			why = _("it rejects the change");
		if (why == NULL)
			why = judge_rules(rule, &approvals[i], &judged[i].said);
		if (why == NULL)
			why = judge_others(arena, judged, verdicts, count, i);
		verdicts[i].why_not = why != NULL ? why : "";
		verdicts[i].counts = why == NULL;
		*persons += why == NULL;
	}
	return 0;
}

/* "bob: it has expired; carol: ..." */
static void
put_reasons(
    struct buf *out, const struct approval_verdict *verdicts, size_t count)
{
	const char *person;

	for (size_t i = 0; i < count; i++) {
		if (verdicts[i].counts)
			continue;
		person = verdicts[i].person;
		buf_printf(out, "%s%s: %s", out->len > 0 ? "; " : "",
		    *person != '\0' ? person : _("no person"),
		    verdicts[i].why_not);
	}
}

static int
refuse_few(const struct approval_rule *rule,
    const struct approval_verdict *verdicts, size_t count, int persons,
    struct err *err)
{
	struct buf reasons = BUF_LIMIT(1024);
	int change = rule->change->change, r;

	put_reasons(&reasons, verdicts, count);
	if (reasons.len > 0)
		r = err_set(err, ERR_APPROVAL,
		    _("CHG-%04d has %d of the %d approvals it needs; another "
		      "person types: hoshu approve CHG-%04d (not counted: "
		      "%s)"),
		    change, persons, rule->needed, change, buf_str(&reasons));
	else
		r = err_set(err, ERR_APPROVAL,
		    _("CHG-%04d has %d of the %d approvals it needs; another "
		      "person types: hoshu approve CHG-%04d"),
		    change, persons, rule->needed, change);
	buf_free(&reasons);
	return r;
}

int
approval_judge(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count,
    struct approval_verdict **verdicts, int *persons, struct err *err)
{
	struct approval_verdict *made;
	int counted = 0, r;

	/* 0 would let everything through */
	if (rule->needed < 1)
		return err_set(err, ERR_APPROVAL,
		    _("%d approvals can never be enough; set approvals: in "
		      "hoshu.yml to 1 or more, or to solo"),
		    rule->needed);
	made = arena_array(arena, struct approval_verdict, count);
	r = judge_all(arena, rule, approvals, count, made, &counted, err);
	if (r < 0)
		return r;
	*verdicts = made;
	*persons = counted;
	for (size_t i = 0; i < count; i++)
		if (made[i].rejects)
			return err_set(err, ERR_APPROVAL,
			    _("CHG-%04d was rejected by %s; submit the plan "
			      "again when it is right"),
			    rule->change->change, made[i].person);
	if (counted < rule->needed)
		return refuse_few(rule, made, count, counted, err);
	return 0;
}
