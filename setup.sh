#!/bin/sh
# Prepare .venv and, where it may, Qt's system libraries. Usage: sh setup.sh [PYTHON]
set -e
python=${1:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Secateur needs Python 3.11 or newer; try: make setup PYTHON=python3.12" >&2
    exit 1
}

# A bare Debian lacks the libraries that Qt's windows link to, and the venv module.
needed="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1
    libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 fonts-dejavu-core"
"$python" -c 'import ensurepip, venv' 2>/dev/null || needed="$needed python3-venv"
if command -v dpkg-query >/dev/null; then
    missing=
    for package in $needed; do
        # Newer releases carry a package under a t64 name; dpkg knows it as provided.
        dpkg-query -W -f '${db:Status-Status} ${Provides}\n' "$package" "${package}t64" \
            2>/dev/null | grep -q '^installed' || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        install="apt-get install --yes --no-install-recommends$missing"
        if [ "$(id -u)" = 0 ]; then
            apt-get update && $install
        elif sudo -n true 2>/dev/null; then
            sudo apt-get update && sudo $install
        else
            echo "Secateur's window needs system libraries: sudo $install" >&2
        fi
    fi
fi

[ -x .venv/bin/python ] || [ -x .venv/Scripts/python.exe ] || "$python" -m venv .venv
bin=.venv/bin
[ -d "$bin" ] || bin=.venv/Scripts
"$bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'
