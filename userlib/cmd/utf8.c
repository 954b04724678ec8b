// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cmd.h"
#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

char *utf8_of(const char *bytes)
{
	const locale_t utf8 =
		cmd_need(newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0));
	const locale_t before = uselocale(utf8);
	size_t left = strlen(bytes), len;
	char *text = cmd_need(malloc(left * strlen(REPLACEMENT) + 1));
	char *to = text;
	mbstate_t state;

	for (; left; bytes += len, left -= len) {
		memset(&state, 0, sizeof(state));
		len = mbrlen(bytes, left, &state);
		if (len <= left) {
			to = mempcpy(to, bytes, len);
		} else {
			len = 1;
			to = mempcpy(to, REPLACEMENT, strlen(REPLACEMENT));
		}
	}
	*to = '\0';
	uselocale(before);
	freelocale(utf8);
	return text;
}
