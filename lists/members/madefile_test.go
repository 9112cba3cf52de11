package members

import (
	"os"
	"path/filepath"
	"testing"

	"superlist/smtp"
)

// A madeFile is a members file as an editor has written it.
type madeFile struct{ name string }

func inFile(t testing.TB, text string) madeFile {
	t.Helper()
	f := madeFile{filepath.Join(t.TempDir(), "members")}
	f.write(t, text)
	return f
}

func (f madeFile) write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(f.name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f madeFile) membersFile() string { return f.name }

func (f madeFile) Members() (*File, error) { return Open(f.name) }

// find looks an address up in the file as it is now.
func (f madeFile) find(t testing.TB, who string) (Member, bool) {
	t.Helper()
	m, err := f.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	member, ok, err := m.Find(address(who))
	if err != nil {
		t.Fatal(err)
	}
	return member, ok
}

func address(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic("not an address: " + s)
	}
	return p
}
