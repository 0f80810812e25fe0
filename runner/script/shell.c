/*
 * The fixed text of scripts: what stands at their head and the functions they
 * use, for dash, bash and busybox ash. Every line's failure ends the script
 * by `|| exit`, never by set -e, which an outer `||` would switch off.
 * Functions end with umask 022, as host.sh has it.
 */
#include "script/inside.h"

static const char part_durable[] =
    "# what an armed dead-man needs must outlive a power cut\n"
    "durable() {\n"
    "	for f in \"$H/guard\"/*/undo; do [ ! -e \"$f\" ] || sync || return; done\n"
    "}\n";

static const char part_undo[] =
    "# the way back is on the host before anything changes\n"
    "undo_ready() { # NAME TEXT\n"
    "	umask 077\n"
    "	[ -d \"$H/undo\" ] || mkdir -p \"$H/undo\" && printf %s \"$2\" >\"$H/undo/$1.$$\" &&\n"
    "		chmod 700 \"$H/undo/$1.$$\" &&\n"
    "		mv -f \"$H/undo/$1.$$\" \"$H/undo/$1.sh\"\n"
    "	s=$?; umask 022\n"
    "	[ $s = 0 ] || { unwritten \"$H/undo/$1.sh\"; return $s; }\n"
    "	durable\n"
    "}\n";

static const char part_keep[] =
    "# the old content, by digest; what the preview did not see is not touched.\n"
    "# Times, access control lists and attributes go into a file without content\n"
    "keep() { # PATH SHA256 META\n"
    "	umask 077\n"
    "	[ -d \"$H/pre\" ] || mkdir -p \"$H/pre\" && cat <\"$1\" >\"$H/pre/$2.$$\" &&\n"
    "		d=$(sha256sum <\"$H/pre/$2.$$\"); s=$?; umask 022\n"
    "	[ $s = 0 ] || return $s\n"
    "	if [ \"${d%% *}\" != \"$2\" ]; then\n"
    "		rm -f \"$H/pre/$2.$$\"\n"
    "		echo \"hoshu: $1 is not what the preview saw\" >&2\n"
    "		return 74\n"
    "	fi\n"
    "	rm -f \"$H/pre/$3\"\n"
    "	cp --attributes-only --preserve=all \"$1\" \"$H/pre/$3\" 2>/dev/null ||\n"
    "		touch -r \"$1\" \"$H/pre/$3\" || return\n"
    "	mv -f \"$H/pre/$2.$$\" \"$H/pre/$2\" && durable\n"
    "}\n";

static const char part_same[] =
    "# what the preview did not see is not touched\n"
    "same() { # PATH SHA256\n"
    "	d=$(sha256sum <\"$1\") || return\n"
    "	[ \"${d%% *}\" = \"$2\" ] || { echo \"hoshu: $1 is not what the preview saw\" >&2; return 74; }\n"
    "}\n";

static const char part_put[] =
    "# a new file beside PATH, ours alone until it has its owner and mode\n"
    "put() { # PATH NEW MODE OWNER text CONTENT | file FILE SHA256 | kept FILE SHA256 META\n"
    "	if [ ! -d \"${1%/*}/\" ]; then\n"
    "		echo \"hoshu: folder ${1%/*}/ does not exist\" >&2\n"
    "		return 73\n"
    "	fi\n"
    "	if [ -d \"$1\" ] && [ ! -L \"$1\" ]; then\n"
    "		echo \"hoshu: $1 is a folder\" >&2\n"
    "		return 73\n"
    "	fi\n"
    "	if [ -e \"$2\" ] || [ -L \"$2\" ]; then rm -f \"$2\"; fi\n"
    "	umask 077; set -C\n"
    "	case $5 in\n"
    "	text) printf %s \"$6\" >\"$2\" ;;\n"
    "	*) cat <\"$6\" >\"$2\" ;;\n"
    "	esac\n"
    "	s=$?; set +C; umask 022\n"
    "	if [ $s != 0 ]; then\n"
    "		rm -f \"$2\"\n"
    "		# no room for a copy: the kept file itself goes back\n"
    "		if [ \"$5\" = kept ] && ln \"$6\" \"$2\"; then s=0 linked=$6; else unwritten \"$2\"; fi\n"
    "	fi\n"
    "	if [ $s = 0 ] && [ \"$5\" != text ]; then\n"
    "		d=$(sha256sum <\"$2\")\n"
    "		if [ \"${d%% *}\" != \"$7\" ]; then\n"
    "			echo \"hoshu: $6 is damaged or cut\" >&2; s=74\n"
    "		fi\n"
    "	fi\n"
    "	if [ $s = 0 ] && [ -n \"$4\" ]; then\n"
    "		chown \"$4\" \"$2\"; s=$?\n"
    "	fi\n"
    "	[ $s != 0 ] || chmod \"$3\" \"$2\" || s=$?\n"
    "	if [ $s = 0 ] && [ -n \"${8-}\" ] && [ -e \"$8\" ]; then\n"
    "		cp --attributes-only --preserve=all \"$8\" \"$2\" 2>/dev/null ||\n"
    "			touch -r \"$8\" \"$2\" || s=$?\n"
    "	fi\n"
    "	[ $s = 0 ] || rm -f \"$2\"\n"
    "	return $s\n"
    "}\n"
    "land() { # NEW PATH\n"
    "	if [ -L \"$2\" ] && [ -d \"$2\" ]; then rm -f \"$2\"; fi\n"
    "	mv -f \"$1\" \"$2\" || { s=$?; rm -f \"$1\"; return $s; }\n"
    "	# two names of one file stay as they are\n"
    "	[ ! -e \"$1\" ] || rm -f \"$1\"\n"
    "	# what it took the place of has made room: a later write into the one is\n"
    "	# none into the other\n"
    "	[ ! \"${linked-}\" ] || apart \"$linked\" \"$2\"\n"
    "	linked=\n"
    "}\n"
    "apart() { # KEPT PATH\n"
    "	umask 077\n"
    "	cat <\"$2\" >\"$1.$$\" && mv -f \"$1.$$\" \"$1\" || rm -f \"$1.$$\"\n"
    "	umask 022\n"
    "}\n";

static const char part_back[] =
    "# a script that ended before it kept this file has not written it either\n"
    "untouched() { # PATH SHA256 META\n"
    "	if [ -e \"$H/pre/$3\" ] || [ ! -f \"$1\" ] || [ -L \"$1\" ]; then return 1; fi\n"
    "	d=$(sha256sum <\"$1\") && [ \"${d%% *}\" = \"$2\" ]\n"
    "}\n";

static const char part_link[] =
    "relink() { # PATH TARGET OWNER\n"
    "	rm -f \"$1\" && ln -s -- \"$2\" \"$1\" || return\n"
    "	[ -z \"$3\" ] || chown -h \"$3\" \"$1\"\n"
    "}\n";

static const char part_text[] =
    "# a person's text runs as a file of its own\n"
    "store() { # FILE TEXT\n"
    "	umask 077; rm -f \"$1\"; printf %s \"$2\" >\"$1\"\n"
    "	s=$?; umask 022\n"
    "	[ $s = 0 ] || unwritten \"$1\"\n"
    "	return $s\n"
    "}\n"
    "if [ -z \"${x-}\" ]; then\n"
    "	umask 077; mkdir -p \"$H\" || exit; umask 022; x=$H/by-hand\n"
    "fi\n";

/* a shell's own printf says "I/O error", whatever it was */
static const char part_unwritten[] =
    "unwritten() { # FILE\n"
    "	echo \"hoshu: $1 could not be written; df says:\" \\\n"
    "		\"$(df -P \"${1%/*}/\" | tail -n 1)\" >&2\n"
    "}\n";

static const char part_as[] =
    "become() { # USER: its home and names, for what runuser starts\n"
    "	if ! h=$(getent passwd \"$1\"); then\n"
    "		echo \"hoshu: there is no user $1\" >&2\n"
    "		return 67\n"
    "	fi\n"
    "	h=${h%:*}; HOME=${h##*:}; USER=$1; LOGNAME=$1\n"
    "	export HOME USER LOGNAME\n"
    "}\n";

void
shell_put_head(struct buf *out, unsigned parts)
{
	buf_puts(out,
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	    "/bin LC_ALL=C\nexport PATH LC_ALL\numask 022\n");
	if (parts == 0)
		return;
	buf_puts(out, "if [ -z \"${H-}\" ]; then\n"
		      "	H=${HOME-}/.local/state/hoshu\n"
		      "	[ \"$(id -u)\" != 0 ] || H=/var/lib/hoshu\n"
		      "fi\n");
}

void
shell_put_parts(struct buf *out, unsigned parts)
{
	static const struct {
		unsigned part;
		const char *text;
	} all[] = {
	    {SHELL_UNDO | SHELL_KEEP, part_durable},
	    {SHELL_UNDO, part_undo},
	    {SHELL_KEEP, part_keep},
	    {SHELL_SAME, part_same},
	    {SHELL_PUT, part_put},
	    {SHELL_BACK, part_back},
	    {SHELL_LINK, part_link},
	    {SHELL_TEXT, part_text},
	    {SHELL_AS, part_as},
	};

	if (parts & (SHELL_UNDO | SHELL_PUT | SHELL_TEXT))
		buf_puts(out, part_unwritten);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (parts & all[i].part)
			buf_puts(out, all[i].text);
}
