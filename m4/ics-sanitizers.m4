# SPDX-License-Identifier: LGPL-2.1-or-later
# ICS_SANITIZERS: --with-sanitizers=address,undefined (or thread) for the whole build.
AC_DEFUN([ICS_SANITIZERS], [
  AC_ARG_WITH([sanitizers], [AS_HELP_STRING([--with-sanitizers=LIST], [build with -fsanitize=LIST])],
              [], [with_sanitizers=no])
  AS_IF([test "x$with_sanitizers" != xno],
        [ICS_SANITIZE_FLAGS="-fsanitize=$with_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=undefined"])
  AC_SUBST([ICS_SANITIZE_FLAGS])
])
