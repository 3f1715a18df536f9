#!/usr/bin/env bash
# setup.sh FOLDER: what tools/isa.ts needs, unpacked and built in a folder. Nothing is installed, nothing needs root.
#
# Debian 12 or 13 on x64, with a C compiler, python3, tar, xz and 1 GB. Packages come from the mirror of Debian that
# DEBIAN_MIRROR names (default: http://deb.debian.org/debian), and are checked against Debian's keys.
#
#   drivers/    Mesa of Debian 13 with all it stands on, its C library too: a process runs on that, so the machine's own may
#               be older
#   amd.so      a driver that hands all calls through to Mesa's RADV, and leaves out those that want a GPU
#   intel.so    Mesa's stand-ins for the kernel's side of a GPU: preloaded, they answer for a chip that is not there
#   nvidia.so
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

say() { echo "isa: $*" >&2; }
fail() {
  say "$@"
  exit 1
}

. /etc/os-release
[ "$(uname -sm)" = 'Linux x86_64' ] || fail "expected Linux on x64, found $(uname -sm)"
[ "${ID:-}" = debian ] || fail "expected Debian 12 or 13, found ${PRETTY_NAME:-another system}"
case ${VERSION_CODENAME:-} in
  bookworm) suites='bookworm bookworm-backports' newer=/bookworm-backports ;; # Mesa is built by a later meson
  trixie) suites=trixie newer= ;;
  *) fail "expected Debian 12 or 13, found ${PRETTY_NAME:-another version}" ;;
esac
for program in apt-get dpkg-deb cc python3 tar xz; do
  command -v "$program" >/dev/null || fail "there is no $program on this machine"
done

# apt-get with a state of its own in NAME.packages: as if there were no other package on this machine.
apt() { # NAME ARGUMENTS...
  local state=$folder/$1.packages
  shift
  apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Architecture=amd64 \
    -o Dir::Etc::SourceList="$state/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Status="$state/none" \
    -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state" "$@"
}

# Packages with all that they depend on, unpacked into the folder NAME.
unpack() { # NAME SUITES PACKAGES...
  local name=$1 state=$folder/$1.packages kind suite package
  mkdir -p "$folder/$name" "$state/lists/partial" "$state/archives/partial"
  : >"$state/none"
  for suite in $2; do
    for kind in deb deb-src; do
      echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    done
  done >"$state/sources"
  shift 2
  apt "$name" update
  apt "$name" install --yes --download-only --no-install-recommends "$@" >/dev/null
  for package in "$state"/archives/*.deb; do dpkg-deb -x "$package" "$folder/$name"; done
}

say "Mesa's drivers"
unpack drivers trixie mesa-vulkan-drivers libvulkan1 libatomic1 libstdc++6

say 'tools to build with'
unpack tools "$suites" "meson$newer" ninja-build python3-mako python3-yaml python3-packaging python3-setuptools \
  bison flex m4 pkgconf libdrm-dev

source=$folder/source
if [ ! -d "$source" ]; then
  say "Mesa's source"
  archives=$folder/drivers.packages/archives
  (cd "$archives" && apt drivers source --download-only mesa >/dev/null)
  mkdir "$source.part"
  tar xJf "$archives"/mesa_*.orig.tar.xz -C "$source.part" --strip-components=1
  echo "subdir('nouveau/drm-shim')" >>"$source.part/src/meson.build" # without NVK and its Rust compiler
  mv "$source.part" "$source"
fi

say 'the pretended chips'
tools=$folder/tools/usr
export PATH=$tools/bin:$PATH PYTHONPATH=$tools/lib/python3/dist-packages BISON_PKGDATADIR=$tools/share/bison M4=$tools/bin/m4
export CPATH=$tools/include:$tools/include/libdrm LIBRARY_PATH=$tools/lib/x86_64-linux-gnu
export PKG_CONFIG_PATH=$tools/lib/x86_64-linux-gnu/pkgconfig LD_LIBRARY_PATH=$tools/lib/x86_64-linux-gnu
off=()
for option in glx egl gbm gles1 gles2 llvm xmlconfig zstd libunwind intel-rt; do off+=("-D$option=disabled"); done
[ -f "$folder/build/build.ninja" ] || python3 "$tools/bin/meson" setup "$folder/build" "$source" \
  -Dtools=intel,drm-shim -Dvulkan-drivers= -Dgallium-drivers= -Dplatforms= -Dopengl=false -Dvideo-codecs= \
  -Dbuildtype=release "-Dc_args=-I$source/src/nouveau/headers -I$source/src/nouveau" "${off[@]}" >"$folder/meson.txt" ||
  fail "Mesa's build was refused: $folder/meson.txt"
shims=(src/intel/tools/libintel_noop_drm_shim.so src/nouveau/drm-shim/libnouveau_noop_drm_shim.so)
ninja -C "$folder/build" "${shims[@]}" >"$folder/ninja.txt" || fail "Mesa's stand-ins were not built: $folder/ninja.txt"
cp "$folder/build/${shims[0]}" "$folder/intel.so"
cp "$folder/build/${shims[1]}" "$folder/nvidia.so"
cc -O1 -shared -fPIC -o "$folder/amd.so" "$here/amd.c" -ldl

touch "$folder/ready"
say "ready: $folder"
