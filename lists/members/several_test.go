package members

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// TestTogether: several people are looked up in one go, also in a file that was
// written by hand, and whoever they post for as well.
func TestTogether(t *testing.T) {
	for _, inOrder := range []bool{false, true} {
		f := inFile(t, "a@example.com\nal@example.com for=m@example.com\nm@example.com moderated\nz@example.com\n")
		if inOrder {
			if err := os.Chtimes(f.name, time.Time{}, SortedTime(time.Now())); err != nil {
				t.Fatal(err)
			}
		} else {
			f.write(t, "m@example.com moderated\nz@example.com\nA@example.com\nal@example.com for=m@example.com\n")
		}
		if m, err := f.Members(); err != nil || m.Sorted() != inOrder {
			t.Fatal(err, m.Sorted())
		}
		l := Lookup{File: f.name}
		err := l.Together([]smtp.Path{address("a@example.com"), address("eve@example.com"), address("al@example.com"), address("z@example.com")})
		os.Remove(f.name) // and it is not asked again
		var got []string
		for _, s := range l.found {
			member, ok, err := l.Find(address(s.key))
			if err != nil {
				t.Error(err)
			}
			got = append(got, fmt.Sprint(s.key, " ", ok, " ", member.Moderated))
		}
		if want := "a@example.com true false, eve@example.com false false, al@example.com true false, z@example.com true false, m@example.com true true"; err != nil || strings.Join(got, ", ") != want {
			t.Errorf("in order %t: %q, %v", inOrder, got, err)
		}
		al, _, _ := l.Find(address("al@example.com"))
		if m, ok, err := l.Behind(al); err != nil || !ok || m.Path != address("m@example.com") || !m.Moderated {
			t.Errorf("in order %t: behind al is %v, %v, %v", inOrder, m, ok, err)
		}
	}
}
