package lists

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue/disk"

	"golang.org/x/sys/unix"
)

// TestOddFiles holds that no file of a list can make a session wait, or read
// without an end, whatever it is.
func TestOddFiles(t *testing.T) {
	kinds := map[string]func(path string) error{
		"pipe":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"device":    func(path string) error { return os.Symlink("/dev/zero", path) },
		"socket": func(path string) error {
			_, err := net.Listen("unix", path)
			return err
		},
		"loop": func(path string) error { return os.Symlink(filepath.Base(path), path) },
	}
	uses := map[string]func(l *List) error{
		"list.toml": func(l *List) error {
			_, err := Of((&site.Site{ListsDir: filepath.Dir(filepath.Dir(l.Dir)), RecipientDelimiter: "+"})).Open(l.Addr)
			return err
		},
		"members": func(l *List) error { _, err := l.Members(); return err },
		"key":     func(l *List) error { _, err := l.BounceAddress(time.Now()); return err },
	}
	for kind, make := range kinds {
		for name, use := range uses {
			t.Run(name+" is a "+kind, func(t *testing.T) {
				l := testList(t, testSite(t, ""), "a@example.com\n")
				t.Chdir(l.Dir) // a socket's path must be short
				if err := use(l); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.Remove(name), make(name)); err != nil {
					t.Fatal(err)
				}
				done := goOn(func() error { return use(l) })
				select {
				case err := <-done:
					if !errors.Is(err, disk.ErrNotRegular) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ELOOP) {
						t.Errorf("got %v", err)
					}
				case <-time.After(5 * time.Second):
					t.Error("it waits")
				}
			})
		}
	}
	t.Run("nothing is written through what is in the way", func(t *testing.T) {
		l := testList(t, testSite(t, ""), "a@example.com\n")
		other := filepath.Join(t.TempDir(), "other")
		os.WriteFile(other, []byte("other"), 0o600)
		unix.Mkfifo(filepath.Join(l.Dir, ".members.new"), 0o600)
		os.Symlink(other, filepath.Join(l.Dir, ".list.toml.new"))
		select {
		case err := <-goOn(func() error {
			return errors.Join(EditSet(l, []string{"post=anyone"}), EditMembers(l, func(members.Set) error { return nil }))
		}):
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("it waits")
		}
		if text, _ := os.ReadFile(other); string(text) != "other" {
			t.Errorf("a file elsewhere is now %q", text)
		}
	})
}

func goOn(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}
