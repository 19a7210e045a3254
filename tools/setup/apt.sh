# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by setup.sh. Finds the machine's Debian mirror and runs apt on private directories, so that neither
# /etc/apt nor /var/lib/apt learns of the other suites.

# Prints "OPTIONS|URI" of the first entry in this machine's apt configuration that serves the suite $1 with
# component main. Reads one-line (.list) and deb822 (.sources) files; OPTIONS carries signed-by on.
apt_mirror_of() {
	local suite=$1 etc=${RAVELIN_ETC_APT:-/etc/apt} file
	for file in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		awk -v want="$suite" '
			{ sub(/#.*/, "") }
			$1 == "deb" {
				line = $0; signed = ""
				if (match(line, /\[[^]]*\]/)) {
					opts = substr(line, RSTART + 1, RLENGTH - 2)
					line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
					n = split(opts, o, /[ \t]+/)
					for (i = 1; i <= n; i++)
						if (tolower(o[i]) ~ /^signed-by=/) signed = o[i]
				}
				n = split(line, f, /[ \t]+/)
				if (f[3] == want && f[2] !~ /^cdrom:/)
					for (i = 4; i <= n; i++)
						if (f[i] == "main") { print signed "|" f[2]; exit }
			}' "$file"
	done
	for file in "$etc"/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		awk -v want="$suite" '
			function has(list, word,   a, n, i) {
				n = split(list, a, /[ \t]+/)
				for (i = 1; i <= n; i++) if (a[i] == word) return 1
				return 0
			}
			function stanza(   uri) {
				if (has(v["types"], "deb") && has(v["suites"], want) && has(v["components"], "main") \
				    && tolower(v["enabled"]) != "no") {
					split(v["uris"], uri, /[ \t]+/)
					# A key may also stand inline; then the archive keyring does.
					if (v["signed-by"] !~ /^\//) v["signed-by"] = ""
					print (v["signed-by"] == "" ? "" : "signed-by=" v["signed-by"]) "|" uri[1]
				}
				split("", v)
			}
			/^#/ { next }
			/^[ \t]*$/ { stanza(); next }
			/^[^ \t]/ {
				key = tolower($0); sub(/:.*/, "", key)
				val = $0; sub(/^[^:]*:[ \t]*/, "", val)
				v[key] = val; next
			}
			{ val = $0; sub(/^[ \t]+/, "", val); v[key] = v[key] (v[key] == "" ? "" : " ") val }
			END { stanza() }' "$file"
	done
}

# Prints the sources.list line for suite $1 on the mirror that this machine uses for its own release.
apt_line_for() {
	local found opts uri
	found=$(apt_mirror_of bookworm)
	[ -n "$found" ] || found=$(apt_mirror_of oldstable)
	found=${found%%$'\n'*}
	[ -n "$found" ] || die "no entry for 'bookworm main' in /etc/apt/sources.list or /etc/apt/sources.list.d" \
		"Add the Debian mirror you use to apt's configuration and run 'make setup' again."
	opts=${found%%|*}
	uri=${found#*|}
	if [ -z "$opts" ] && [ -f "$KEYRING" ]; then
		opts="signed-by=$KEYRING"
	fi
	echo "deb ${opts:+[$opts] }$uri $1 main"
}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Writes $1/apt.conf for a private apt whose state, cache and sources live under $1; architecture $2 first.
apt_private_conf() {
	local root=$1
	mkdir -p "$root"/{state/lists/partial,cache/archives/partial,none.d}
	: > "$root/none"
	[ -f "$root/status" ] || : > "$root/status"
	cat > "$root/apt.conf" <<-EOF
		APT::Architecture "$2";
		APT::Architectures { "$2"; "amd64"; };
		APT::Sandbox::User "root";
		APT::Get::List-Cleanup "false";
		APT::Install-Recommends "false";
		APT::Update::Post-Invoke "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$root/state";
		Dir::State::lists "$root/state/lists";
		Dir::State::status "$root/status";
		Dir::Cache "$root/cache";
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "$root/none.d";
		Dir::Etc::preferences "$root/none";
		Dir::Etc::preferencesparts "$root/none.d";
	EOF
}

# Runs a command with its output in the log; shows the end of the log if it fails. $1 says what was tried.
logged() {
	local what=$1
	shift
	if ! "$@" >> "$LOG" 2>&1; then
		tail -n 15 "$LOG" >&2
		die "$what failed; the whole log is $LOG" \
			"If the network or the mirror was at fault, run 'make setup' again: it goes on where it stopped."
	fi
}
