package cluster

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/members"
	"superlist/queue/disk/disktest"
)

// hostile are items that no host has put into the database.
var hostile = []Item{
	{File: "..", Part: firstPart, Content: []byte("x")},
	{File: "../dev2/list.toml", Part: firstPart, Content: []byte("x")},
	{File: "/etc/passwd", Part: firstPart, Content: []byte("x")},
	{File: "a/../../b", Part: firstPart, Content: []byte("x")},
	{File: "", Part: firstPart, Content: []byte("x")},
	{File: ".", Part: firstPart, Content: []byte("x")},
	{File: "a//b", Part: firstPart, Content: []byte("x")},
	{File: "a/.b", Part: firstPart, Content: []byte("x")},
	{File: ".cluster/x", Part: firstPart, Content: []byte("x")},
	{File: "web/index.html", Part: firstPart, Content: []byte("x")},
	{File: "a\nb", Part: firstPart, Content: []byte("x")},
	{File: "a\x00b", Part: firstPart, Content: []byte("x")},
	{File: "a\xff", Part: firstPart, Content: []byte("x")},
	{File: strings.Repeat("a", maxFile+1), Part: firstPart, Content: []byte("x")},
	{File: "key", Part: "", Content: []byte("x")},
	{File: "key", Part: "0000000G", Content: []byte("x")},
	{File: "key", Part: "0000000A", Content: []byte("x")},
	{File: "key", Part: "00000001", Content: []byte("x")},
	{File: "key", Part: "ffffffff", Content: []byte("x")},
	{File: "key", Part: "-0000001", Content: []byte("x")},
	{File: "key", Part: firstPart, Content: make([]byte, PartSize+1)},
	{File: rollFile, Part: "a@example.com", Content: []byte("a@example.com\nb@example.com")},
	{File: rollFile, Part: "a@example.com", Content: []byte("b@example.com")},
	{File: rollFile, Part: "a@example.com", Content: []byte("# a@example.com")},
	{File: rollFile, Part: "a@example.com", Content: []byte{}},
	{File: rollFile, Part: "a@example.com", Content: []byte("a@example.com " + strings.Repeat("x", maxLine))},
	{File: rollFile, Part: "", Content: []byte("a@example.com\n")},
	{File: rollFile, Part: "", Content: []byte("# no end")},
	{File: rollFile, Part: "nonsense", Content: []byte("nonsense")},
}

// tree is all that is below a directory.
func tree(t testing.TB, dir string) string {
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			var text []byte
			text, err = os.ReadFile(path)
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel+"="+string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// target returns an applier for a list, and the directory above all.
func target(t testing.TB) (a *applier, top string) {
	top = t.TempDir()
	dir := filepath.Join(top, "lists/lists.example.org/dev")
	for _, file := range []string{"list.toml", "key", "asked/x", "../other/list.toml", "../alias", "../../tokens.json"} {
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roll := filepath.Join(dir, rollFile)
	if err := os.WriteFile(roll, []byte("# front\nb@example.com\nc@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := members.SortedTime(time.Now())
	os.Chtimes(roll, at, at)
	return &applier{disk: disktest.Lazy(), unit: "lists.example.org/dev", dir: dir}, top
}

func items(all ...Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, i := range all {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// TestHostile: what the database says is no path out of a list, and no line that is not
// somebody's; nothing changes.
func TestHostile(t *testing.T) {
	for _, i := range hostile {
		a, top := target(t)
		before := tree(t, top)
		apply := a.apply
		if i.File == rollFile {
			apply = a.members
		}
		if err := apply(items(i)); !errors.Is(err, errHostile) {
			t.Errorf("%.50q %q: %v", i.File, i.Part, err)
		}
		if after := tree(t, top); after != before {
			t.Errorf("%.50q %q: before\n%s\nafter\n%s", i.File, i.Part, before, after)
		}
	}
	for _, unit := range []string{"..", "../x", "a/..", "a/.b", ".a/b", "a/b/c", "a", "/a", "a/", "a/b\n", "a/\xff"} {
		if isUnit(unit) {
			t.Errorf("%q can be a list", unit)
		}
	}
	for _, file := range []string{".tally/x", "lists.example.org/dev/key", ".asked/a/b", ".asked", ".cluster", "..", "../x"} {
		if isShared(site, file) != (file == ".asked") {
			t.Errorf("%q of the site", file)
		}
	}
}

// itemsOf makes items of what a fuzzer has.
func itemsOf(data []byte) (all []Item) {
	text := func() string {
		if len(data) == 0 {
			return ""
		}
		n := min(int(data[0]), len(data)-1)
		s := string(data[1 : n+1])
		data = data[n+1:]
		return s
	}
	for len(data) > 8 && len(all) < 50 {
		version := int64(binary.BigEndian.Uint16(data))
		kind := data[2]
		data = data[3:]
		i := Item{File: text(), Part: text(), Version: version, At: time.Unix(version, 0)}
		if kind&1 == 0 {
			i.Content = []byte(text())
		}
		if kind&2 == 0 {
			i.Part = partName(int(kind >> 4))
		}
		if kind&4 == 0 {
			i.File = rollFile
		}
		if kind&8 == 0 && i.Content != nil {
			i.Content = append(i.Content, make([]byte, PartSize-len(i.Content))...)
		}
		all = append(all, i)
	}
	return all
}

// FuzzApply: whatever the database says, only files that hosts share change, and only
// those of the list; and what is written again is what was asked for.
func FuzzApply(f *testing.F) {
	for _, i := range hostile {
		seed := append([]byte{0, 1, 0xfe &^ 1, byte(len(i.File))}, i.File...)
		seed = append(append(seed, byte(len(i.Part))), i.Part...)
		f.Add(append(append(seed, byte(len(i.Content))), i.Content...), len(i.Content)%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		all := itemsOf(data)
		a, top := target(t)
		a.whole = whole
		outside := func() (lines []string) {
			for line := range strings.SplitSeq(tree(t, top), "\n") {
				if name, _, _ := strings.Cut(line, "="); !strings.HasPrefix(name, "lists/lists.example.org/dev/") && strings.Contains(line, "=") && strings.HasPrefix(name, "lists/") {
					lines = append(lines, line)
				}
			}
			return lines
		}
		before := outside()
		apply := a.apply
		if len(all) > 0 && all[0].File == rollFile {
			apply = a.members
			all = slices.DeleteFunc(all, func(i Item) bool { return i.File != rollFile })
		}
		err := apply(items(all...))
		if after := outside(); !slices.Equal(before, after) {
			t.Errorf("outside was %q and is %q", before, after)
		}
		filepath.WalkDir(a.dir, func(path string, e fs.DirEntry, _ error) error {
			rel, _ := filepath.Rel(a.dir, path)
			if !e.IsDir() && !isShared(a.unit, rel) {
				t.Errorf("there is %q, after %v", rel, err)
			}
			return nil
		})
	})
}

// FuzzRoll: what rollDiff finds between two files makes the second of the first.
func FuzzRoll(f *testing.F) {
	f.Add("# x\na@example.com\n", "a@example.com name=A\nb@example.com\n")
	f.Add("a@example.com\nb@example.com\nc@example.com\n", "a@example.com\nc@example.com\n")
	f.Add("", "a@example.com\n")
	f.Add("# a\n# b\na@example.com\n", "# b\n")
	f.Add("a@example.com\n"+strings.Repeat("#", 9), "a@example.com\n# x\n")
	f.Fuzz(func(t *testing.T, old, new string) {
		a, _ := target(t)
		at := members.SortedTime(time.Unix(1796000000, 0))
		path := a.path(rollFile)
		put := func(path, text string, at time.Time) *os.File {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			os.Chtimes(path, at, at)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}
		was := put(path, old, at)
		is := put(filepath.Join(a.dir, "new"), new, at.Add(time.Hour))
		for _, f := range []*os.File{was, is} {
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := inOrder(f, info); !ok || err != nil {
				return
			}
		}
		changes, ok, err := rollDiff(was, is)
		if !ok || err != nil {
			t.Fatalf("%t, %v", ok, err)
		}
		for n := range changes {
			changes[n].Version = 2
		}
		slices.SortStableFunc(changes, func(x, y Item) int { return strings.Compare(x.Part, y.Part) })
		if err := a.members(items(changes...)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || string(got) != new || !info.ModTime().Equal(at.Add(time.Hour)) {
			t.Errorf("%q, at %v, %v, want %q", got, info.ModTime(), err, new)
		}
	})
}
