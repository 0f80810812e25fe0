#!/bin/sh
# messages.sh POT: every message of the sources, as gettext's template. `make
# po` merges it into the translations; tests/rules/translations.t compares.
# Must not know: any language.
set -eu
cd "$(dirname "$0")/.."
find runner -name '*.c' | LC_ALL=C sort | xgettext --files-from=- --output="$1" \
	--omit-header --from-code=UTF-8 --no-wrap --add-location=file \
	--add-comments=TRANSLATORS --keyword --keyword=_ --keyword=N_ --keyword=ngettext:1,2
