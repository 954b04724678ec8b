// SPDX-License-Identifier: BSD-2-Clause
/*
 * What programs call: each of these tells a tracer that the call begins, makes it, and
 * tells that it ends.
 *
 * The probes are of <sys/sdt.h>, provider libbsdvm: NAME__entry has the arguments of
 * bsdvm_NAME(), NAME__return what it returns. One is a nop, and a note in the file of
 * where that is and where its arguments are; while nobody has put a breakpoint there,
 * it costs that nop.
 */
#if !__has_include(<sys/sdt.h>)
#error "sys/sdt.h is missing: run scripts/setup, or install systemtap-sdt-dev"
#endif

#define SDT_USE_VARIADIC
#include <stdarg.h>
#include <sys/sdt.h>

#define LIBBSDVM_NAMES_OUTSIDE
#include "entry.h"

#define DEFINE_CALL(_type, _name, _parameters, ...)                   \
	_type libbsdvm_inner_##_name _parameters;                     \
                                                                      \
	_type bsdvm_##_name _parameters                               \
	{                                                             \
		_type ret;                                            \
                                                                      \
		STAP_PROBEV(libbsdvm, _name##__entry, ##__VA_ARGS__); \
		ret = libbsdvm_inner_##_name(__VA_ARGS__);            \
		STAP_PROBEV(libbsdvm, _name##__return, ret);          \
		return ret;                                           \
	}

#define DEFINE_VOID(_name, _parameters, ...)                          \
	void libbsdvm_inner_##_name _parameters;                      \
                                                                      \
	void bsdvm_##_name _parameters                                \
	{                                                             \
		STAP_PROBEV(libbsdvm, _name##__entry, ##__VA_ARGS__); \
		libbsdvm_inner_##_name(__VA_ARGS__);                  \
		STAP_PROBEV(libbsdvm, _name##__return);               \
	}

LIBBSDVM_CALLS(DEFINE_CALL, DEFINE_VOID)

/* As the system's own wrapper: a missing argument is not looked at. */
int bsdvm_compat_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	STAP_PROBEV(libbsdvm, compat_fcntl__entry, fd, cmd, arg);
	ret = libbsdvm_inner_compat_fcntl(fd, cmd, arg);
	STAP_PROBEV(libbsdvm, compat_fcntl__return, ret);
	return ret;
}
