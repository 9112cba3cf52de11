package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/smtp"
)

func TestCreate(t *testing.T) {
	s := testSite(t, "")
	owners := []smtp.Path{addr("olga@example.org"), addr(`"o \"l\" a"@example.org`)}
	l, err := Create(lists.Of(s), addr("Dev@Lists.Example.org"), owners, []string{"post=anyone", `description=People who say "hi"`})
	if err != nil {
		t.Fatal(err)
	}
	if l.Addr != addr("dev@lists.example.org") || l.Dir != filepath.Join(s.ListsDir, "lists.example.org", "dev") {
		t.Errorf("%v in %s", l.Addr, l.Dir)
	}
	if l.Post != lists.PostAnyone || l.Description != `People who say "hi"` || len(l.OwnerPaths()) != 2 || l.OwnerPaths()[1] != owners[1] {
		t.Errorf("%+v", l.Config)
	}
	for _, file := range []string{"list.toml", "members", "key"} {
		info, err := os.Stat(filepath.Join(l.Dir, file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	if info, err := os.Stat(l.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := Create(lists.Of(s), l.Addr, owners, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	onlyThere(t, filepath.Dir(l.Dir), "dev")
	onlyThere(t, l.Dir, "key", "list.toml", "members")
}

// A list that cannot be made leaves nothing behind.
func TestCreateFails(t *testing.T) {
	s := testSite(t, "")
	for _, setting := range []string{"post=everyone", "psot=anyone", "description", "=x", "max_message_size=1", "owners=nobody", "description=a\nowners = []"} {
		if l, err := Create(lists.Of(s), addr("dev@lists.example.org"), nil, []string{setting}); err == nil {
			t.Errorf("%q: %+v", setting, l.Config)
		}
	}
	onlyThere(t, filepath.Join(s.ListsDir, "lists.example.org"))
}

// TestSet changes settings in files as people write them.
func TestSet(t *testing.T) {
	for _, test := range []struct {
		name, file, setting, want string
	}{
		{"in place", "# top\npost = \"members\" # who\n# end\n", "post=anyone", "# top\npost = \"anyone\"\n# end\n"},
		{"added", "# top\npost = \"members\"\n\n", "description=A b", "# top\npost = \"members\"\ndescription = \"A b\"\n"},
		{"into nothing", "", "post=anyone", "\npost = \"anyone\"\n"},
		{"no last line break", "post = \"members\"", "post=anyone", "post = \"anyone\"\n"},
		{"CRLF", "# a\r\npost = \"members\"\r\n# b\r\n", "post=anyone", "# a\r\npost = \"anyone\"\n# b\r\n"},
		{"array over lines", "owners = [\n  \"a@example.com\", # me\n  \"b@example.com\",\n]\npost = \"members\"\n", "owners=c@example.com",
			"owners = [\"c@example.com\"]\npost = \"members\"\n"},
		{"array with a bracket in it", "owners = [ \"\\\"]\\\"@example.com\",\n]\npost = \"members\"\n", "owners=b@example.com", "owners = [\"b@example.com\"]\npost = \"members\"\n"},
		{"string over lines", "description = \"\"\"\\\n  one \\\n  line\"\"\"\npost = \"members\"\n", "description=b", "description = \"b\"\npost = \"members\"\n"},
		{"list by commas", "post = \"members\"\n", "moderators=a@example.com, b@example.com", "post = \"members\"\nmoderators = [\"a@example.com\", \"b@example.com\"]\n"},
		{"list as TOML", "post = \"members\"\n", `owners=["a@example.com"]`, "post = \"members\"\nowners = [\"a@example.com\"]\n"},
		{"string as TOML", "post = \"members\"\n", `post="anyone"`, "post = \"anyone\"\n"},
		{"quotes inside", "post = \"members\"\n", `description=He said "no\maybe"`, "post = \"members\"\ndescription = \"He said \\\"no\\\\maybe\\\"\"\n"},
		{"an equals sign", "post = \"members\"\n", "description=1=1", "post = \"members\"\ndescription = \"1=1\"\n"},
		{"a number", "post = \"members\"\n", "max_message_size=4096", "post = \"members\"\nmax_message_size = \"4096\"\n"},
		{"quoted key", "\"post\" = \"members\"\n", "post=anyone", "post = \"anyone\"\n"},
		{"spaces", "post=\"members\"\n", " post = anyone ", "post = \"anyone\"\n"},
		{"UTF-8", "post = \"members\"\n", "description=Ünïcode", "post = \"members\"\ndescription = \"Ünïcode\"\n"},
	} {
		s := testSite(t, "")
		l := testList(t, s, "")
		os.WriteFile(l.ConfigFile(), []byte(test.file), 0o600)
		if err := Set(l, []string{test.setting}); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got, _ := os.ReadFile(l.ConfigFile()); string(got) != test.want {
			t.Errorf("%s:\n%q\nwant\n%q", test.name, got, test.want)
		}
		if _, err := lists.Of(s).Open(l.Addr); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestSetRefuses: what is refused leaves the file as it was, to the byte, also
// when another setting of the same command was right.
func TestSetRefuses(t *testing.T) {
	for _, test := range []struct{ name, file, setting, want string }{
		{"unknown key", "", "psot=anyone", "psot: no such key; did you mean post?"},
		{"wrong value", "", "post=everyone", "post: must be anyone"},
		{"no value", "", "post", "say key=value"},
		{"no key", "", "=anyone", "say key=value"},
		{"a line break", "", "description=a\nowners = []", "say key=value"},
		{"a return", "", "description=a\rowners = []", "say key=value"},
		{"a quote that ends early", "", `description="a" b`, "is not TOML"},
		{"a quote that does not end", "", `description="a`, "is not TOML"},
		{"a string that swallows lines", "", `description="""`, "is not TOML"},
		{"an array that swallows lines", "moderators = [\n\"a@example.com\",\n]\n", `owners=["b@example.com"`, "is not TOML"},
		{"two keys", "", `description="a"` + "\x0bpost=\"anyone\"", "is not TOML"},
		{"a key that is a table", "", "a.b=c", "not TOML"},
		{"a table", "", "[x]=1", "not TOML"},
		{"a control character", "", "description=a\x1bb", ""},
		{"bad UTF-8", "", "description=\xff", ""},
		{"too small", "", "max_message_size=1", "at least 1KiB"},
		{"no address", "", "owners=nobody", "is not a mail address"},
		{"written in an unusual way", "description = '''\npost = \"x\"\n'''\npost = \"members\"\n", "post=anyone", "by hand"},
		{"broken before", "owners = [\n", "post=anyone", "by hand"},
	} {
		l := testList(t, testSite(t, ""), "")
		file := "# mine\npost = \"members\"\n"
		if test.file != "" {
			file = test.file
		}
		os.WriteFile(l.ConfigFile(), []byte(file), 0o600)
		err := Set(l, []string{"max_message_size=2MiB", test.setting})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if got, _ := os.ReadFile(l.ConfigFile()); string(got) != file {
			t.Errorf("%s: changed to\n%s", test.name, got)
		}
		onlyThere(t, l.Dir, "key", "list.toml", "members")
	}
}

func TestRemove(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "a@example.com\n")
	other, err := Create(lists.Of(s), addr("news@lists.example.org"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Remove(l); err != nil {
		t.Fatal(err)
	}
	if _, err := lists.Of(s).Open(l.Addr); !errors.Is(err, lists.ReplyNoList) {
		t.Errorf("%v", err)
	}
	onlyThere(t, filepath.Dir(other.Dir), "news")
	if err := Remove(other); err != nil {
		t.Fatal(err)
	}
	onlyThere(t, s.ListsDir)
	if err := Remove(other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a second time: %v", err)
	}
}
