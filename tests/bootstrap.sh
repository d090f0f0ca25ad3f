# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# Shared by run-tests, run-demo and run-bench: packages, a copy of the source, builds. Sourced by bash with $source set.

packages_build=(autoconf automake libtool pkg-config gcc libc6-dev make libglib2.0-dev libnice-dev libngtcp2-dev
  libngtcp2-crypto-gnutls-dev libgnutls28-dev libsoup-3.0-dev libjson-glib-dev libminiupnpc-dev libsodium-dev libsrtp2-dev
  check)
packages_run=(ca-certificates conntrack coturn ethtool glib-networking iproute2 miniupnpd miniupnpd-nftables nftables openssl
  procps python3 python3-aioice tayga util-linux)
packages_bindings=(g++ gir1.2-glib-2.0 gjs gobject-introspection libgirepository1.0-dev python3-gi valac)
packages_proxies=(microsocks tinyproxy-bin) # for tests/lab/test_proxies.py and tests/test-ws-proxy.c
packages_desktop=(tigervnc-standalone-server tigervnc-viewer x11-apps) # for tests/lab/test_desktop.py
packages_media=(fonts-dejavu-core gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-tools gstreamer1.0-x
  python3-cryptography xvfb) # for tests/lab/test_media.py and test_pipelines.py
packages_bench=(iperf3)
packages_docs=(binutils gi-docgen) # for make docs and tests/check-docs
packages_examples=(libmosquitto-dev mosquitto python3-paho-mqtt) # for examples/ and tests/lab/test_examples.py
packages_debian=(autopkgtest debhelper debootstrap fakeroot lintian) # for tests/packages
packages_portability=(abigail-tools clang)

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# need_packages PACKAGE...: installs what is missing, when that is allowed.
need_packages() {
  command -v dpkg-query >/dev/null || { say "not Debian: assuming that the counterparts of these packages are there: $*"; return; }
  local package missing=()
  for package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local root=()
  if [[ $EUID -ne 0 ]]; then
    sudo -n true 2>/dev/null || fail "Missing packages. Install them with this line, then start again:
    sudo apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo -n)
  fi
  say "installing ${missing[*]}"
  [[ " ${missing[*]} " == *" coturn "* ]] && keep_off "TURN server" coturn "${root[@]}"
  [[ " ${missing[*]} " == *" tayga "* ]] && keep_off NAT64 tayga "${root[@]}"
  [[ " ${missing[*]} " == *" mosquitto "* ]] && keep_off "MQTT broker" mosquitto "${root[@]}"
  { "${root[@]}" apt-get update -q &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
    >"$work/packages.log" 2>&1 || { tail -n 20 "$work/packages.log" >&2; fail "apt-get failed, see $work/packages.log"; }
}

# keep_off WHAT PACKAGE ROOT...: the package would start a server on this machine, now and at each boot. Our TURN server is a child of
# `ice-session server`, our NAT64 and MQTT broker are inside the laboratory.
keep_off() {
  local what=$1 unit=/etc/systemd/system/$2.service
  [[ -d /run/systemd/system && ! -e $unit ]] || return 0
  say "keeping the system's own $what off: $2.service is masked (undo: systemctl unmask $2)"
  "${@:3}" ln -s /dev/null "$unit"
}

# choose_work_folder: sets $work, one per source folder, never inside it.
choose_work_folder() {
  local hash
  hash=$(printf %s "$source" | sha256sum | cut -c1-12)
  work=${ICE_SESSION_BUILD_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ice-session/$hash}
  mkdir -p "$work" || fail "cannot make $work; set ICE_SESSION_BUILD_DIR to a folder that can be written"
  work=$(cd "$work" && pwd -P)
  [[ $work/ != "$source"/* ]] || fail "ICE_SESSION_BUILD_DIR must not be inside the source"
}

# lock_work_folder: two runs in one folder would break each other.
lock_work_folder() {
  exec {work_lock}>"$work/lock"
  flock -n "$work_lock" || fail "another run is using $work; set ICE_SESSION_BUILD_DIR for a second one"
}

list_source() {
  local git=(git -C "$source" -c "safe.directory=*")
  if [[ $("${git[@]}" rev-parse --show-toplevel 2>/dev/null) == "$source" ]]; then
    "${git[@]}" ls-files -z --cached --others --exclude-standard
  else
    (cd "$source" && find . -name .git -prune -o -type f -printf '%P\0' -o -type l -printf '%P\0')
  fi
}

# copy_source: $work/src becomes what the source is now. Only what changed is copied, with the time of the copy: a file that was
# edited while the last state of it was compiled would else be older than its object, and not be built again.
copy_source() {
  local list=$work/source.list old=$work/source.list.old path
  touch "$list"
  mv "$list" "$old"
  list_source | while IFS= read -r -d '' path; do
    [[ -e $source/$path || -L $source/$path ]] && printf '%s\0' "$path"
  done | sort -z >"$list"
  mkdir -p "$work/src"
  comm -z -23 <(sort -z "$old") "$list" | (cd "$work/src" && xargs -0 -r rm -f --)
  while IFS= read -r -d '' path; do
    if [[ -L $source/$path ]]; then
      [[ $(readlink "$work/src/$path") == "$(readlink "$source/$path")" ]] && continue
    elif [[ ! -L $work/src/$path ]] && cmp -s "$source/$path" "$work/src/$path"; then
      continue
    fi
    mkdir -p "$(dirname "$work/src/$path")" && cp -P --remove-destination --preserve=mode "$source/$path" "$work/src/$path" || return 1
  done <"$list"
}

make_configure() {
  cd "$work/src" || return 1
  [[ -e configure && -z $(find configure.ac m4/ics-*.m4 -newer configure) ]] || autoreconf -fi
}

# build FOLDER CONFIGURE-ARGUMENT...: out of tree, only what changed.
build() {
  local folder=$work/$1
  shift
  mkdir -p "$folder" && cd "$folder" || return 1
  if [[ ! -e config.status || $(cat configure.arguments 2>/dev/null) != "$*" || $work/src/configure -nt config.status ]]; then
    "$work/src/configure" "$@" || return 1
    printf '%s' "$*" >configure.arguments
  fi
  make -j2
}
