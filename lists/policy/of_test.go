package policy

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"superlist/lists"
	"superlist/lists/confirmation"
)

// A moderator may be quicker than the copy of the host that takes their answer.
func TestHeldElsewhere(t *testing.T) {
	root := t.TempDir()
	m := memory{&lists.List{Dir: filepath.Join(root, "lists.example.org", "dev")}}
	for _, ask := range []func(string) error{m.Holds, m.Waits} {
		if err := ask("0123456789ab"); !errors.Is(err, confirmation.ReplyDecided) {
			t.Errorf("on a host that is alone: %v", err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, ".cluster"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, ".cluster", ".host"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, ask := range []func(string) error{m.Holds, m.Waits} {
		if err := ask("0123456789ab"); err != nil {
			t.Errorf("on one of several hosts: %v", err)
		}
	}
}
