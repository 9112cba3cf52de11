package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// beforeCommit is the last one whose sessions knew neither TLS nor AUTH, no
// proxy, no mail filters and no sandbox. What those may cost a session that uses
// none of them is measured against it.
const beforeCommit = "071a39c"

// before builds the programs as they were at that commit.
func (b *bench) before() (bin string, err error) {
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", errors.New("no git repository here")
	}
	dir := filepath.Join(b.work, "before")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	archive := exec.Command("git", "-C", strings.TrimSpace(string(top)), "archive", "--output="+dir+".tar", beforeCommit)
	if out, err := archive.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the history here has no %s: %s", beforeCommit, tail(out))
	}
	if out, err := exec.Command("tar", "-xf", dir+".tar", "-C", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("tar: %w: %s", err, tail(out))
	}
	bin = filepath.Join(dir, "bin")
	return bin, compile(dir, bin, "superlist/cmd/...")
}
