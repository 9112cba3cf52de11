package lists

import (
	"os"
	"strings"
	"testing"
)

func TestListConfigErrors(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	for _, test := range []struct{ text, want string }{
		{"post = \"member\"\n", "1: post: must be anyone, members, moderators or nobody"},
		{"# x\nmax_message_size = \"1\"\n", "2: max_message_size: must be at least 1KiB"},
		{"description = \"a\\nb\"\n", "1: description: must be one line without control characters"},
		{"description = \"" + strings.Repeat("ä", 501) + "\"\n", "1: description: must be at most 500 characters"},
		{"owners = [\n \"a@example.com\",\n \"b\" ]\n", `1: owners: "b" is not a mail address`},
		{"moderators = [\"<a@example.com>\"]\n", `1: moderators: "<a@example.com>" is not a mail address`},
		{"owners = \"a@example.com\"\n", `1: owners: must be a list of strings: ["…", "…"]`},
		{"post = \"anyone\"\nowners = [3]\n", "2: owners: must be a list of strings"},
		{"description = true\n", "1: description: must be a string"},
		{"posts = \"anyone\"\n", "1: posts: no such key; did you mean post?"},
	} {
		os.WriteFile(l.ConfigFile(), []byte(test.text), 0o600)
		_, err := Of(s).Open(l.Addr)
		if err == nil || !strings.HasPrefix(err.Error(), l.ConfigFile()+":"+test.want) {
			t.Errorf("%q:\n got %v\nwant %s", test.text, err, test.want)
		}
	}
	os.WriteFile(l.ConfigFile(), []byte("max_message_size = 1024\ndescription = \""+strings.Repeat("ä", 500)+"\"\n"), 0o600)
	if _, err := Of(s).Open(l.Addr); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}
