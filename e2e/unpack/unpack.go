// Package unpack gets Debian packages without installing them, for peers that
// would replace what runs on the machine.
package unpack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Debian returns the directory where a Debian package and the libraries it
// misses here lie unpacked, fetching them the first time, and the version.
func Debian(name string) (dir, version string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/var/cache"
	}
	dir = filepath.Join(cache, "superlist", name)
	if v, err := os.ReadFile(filepath.Join(dir, "version")); err == nil {
		return dir, string(v), nil
	}
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", "", fmt.Errorf("package %s: no %s here", name, tool)
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", "", err
	}
	// Unpacked under another name first: a half-filled cache is never used.
	tmp, err := os.MkdirTemp(filepath.Dir(dir), name+".")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(tmp)
	if version, err = fetch(tmp, name); err != nil {
		return "", "", fmt.Errorf("package %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(tmp, "version"), []byte(version), 0o644); err != nil {
		return "", "", err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", "", err
	}
	os.RemoveAll(dir)
	return dir, version, os.Rename(tmp, dir)
}

func fetch(dir, name string) (version string, err error) {
	if version = candidate(name); version == "" {
		// A fresh container knows no package at all.
		if out, err := exec.Command("apt-get", "-qq", "update").CombinedOutput(); err != nil {
			return "", fmt.Errorf("apt-get update: %w: %s", err, tail(out))
		}
		if version = candidate(name); version == "" {
			return "", errors.New("no such package")
		}
	}
	get := exec.Command("apt-get", append([]string{"-qq", "download"}, wanted(name)...)...)
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		return "", fmt.Errorf("apt-get download: %w: %s", err, tail(out))
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return "", err
	}
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, dir).CombinedOutput(); err != nil {
			return "", fmt.Errorf("dpkg-deb -x %s: %w: %s", filepath.Base(deb), err, tail(out))
		}
		os.Remove(deb)
	}
	return version, nil
}

func candidate(name string) string {
	out, _ := exec.Command("apt-cache", "policy", name).Output()
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate: "); ok && v != "(none)" {
			return v
		}
	}
	return ""
}

// wanted lists name and the libraries that an installation would add. The
// installation is only simulated: a real one would replace the machine's MTA.
func wanted(name string) []string {
	names := []string{name}
	out, _ := exec.Command("apt-get", "-s", "--no-install-recommends", "install", name).Output()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Inst" && (strings.HasPrefix(f[1], "lib") || strings.HasSuffix(f[1], "-libs")) {
			names = append(names, f[1])
		}
	}
	return names
}

// Libraries lists the directories of an unpacked package that hold libraries.
func Libraries(dir string) []string {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-gnu*", "usr/lib", "usr/lib/*-linux-gnu*", "usr/lib/postfix"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		dirs = append(dirs, found...)
	}
	return dirs
}

func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
