package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An act is one run of a program that writes. Whatever interrupts it, the next run comes
// to the same as one that nothing interrupts.
type act struct {
	name     string
	settings string // of superlist.toml
	prepare  func(*place)
	argv     []string // DIR is the place
	env      []string
	stdin    string
	session  bool // it brings posts: those that got 250 are there, others may be. It is not done again.
}

// users has alice, whose password is pencil.
const users = "alice@example.com:$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$j1iyR64qXDnlJLK4In8xLtcWkacMInq7R3Uqemb4o04:\n"

// mailOf is a session that posts.
func mailOf(hello string, to string, subjects ...string) string {
	talk := hello + " client.example\r\n"
	for _, subject := range subjects {
		talk += fmt.Sprintf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\nFrom: %[1]s\r\nSubject: %s\r\nMessage-ID: <%[3]s@example.com>\r\n\r\nbody\r\nend\r\n.\r\n", poster, to, subject)
	}
	return talk + "QUIT\r\n"
}

// superlistDo is an act of the operator's.
func superlistDo(args ...string) []string { return append([]string{"superlist"}, args...) }

func waits(subjects ...string) func(*place) {
	return func(p *place) { p.post(mailOf("EHLO", list, subjects...)) }
}

func both(one, other func(*place)) func(*place) { return func(p *place) { one(p); other(p) } }

func set(pairs ...string) func(*place) {
	return func(p *place) { p.try(append([]string{"list", "set", list}, pairs...)...) }
}

func deliver(p *place) { p.try("deliver") }

// strangers has a post of a stranger wait, which deliver is to hold.
func strangers(p *place) {
	set("nonmembers=hold")(p)
	p.post(strings.ReplaceAll(mailOf("EHLO", list, "held"), poster, "eve@example.net"))
}

// held has it wait for a moderator, under the only name there is.
var held = both(strangers, deliver)

// archived has posts in the archive, and on the web.
var archived = both(set("web=anyone"), both(waits("first", "second", "third"), deliver))

func mlmmj(p *place) {
	for name, text := range map[string]string{
		"control/listaddress": "old@lists.example.org\n", "control/owner": owner + "\n", "control/subonlypost": "",
		"subscribers.d/a": "alice@example.com\nanna@example.com\n", "subscribers.d/b": "bob@example.com\n", "nomailsubs.d/c": "carol@example.com\n",
		"archive/1": "From: alice@example.com\nSubject: old\n\nold\n", "index": "1\n",
	} {
		name = filepath.Join(p.dir, "mlmmj", name)
		os.MkdirAll(filepath.Dir(name), 0o755)
		os.WriteFile(name, []byte(text), 0o644)
	}
}

func backedUp(p *place) { archived(p); p.try("backup", p.dir+"/saved") }

var acts = []act{
	{name: "spawn: three posts", argv: []string{"superlist-spawn"}, stdin: mailOf("EHLO", list, "one", "two", "three"), session: true},
	{name: "spawn: LMTP", argv: []string{"superlist-spawn"}, stdin: mailOf("LHLO", list, "one", "two"), session: true},
	{name: "session: after AUTH", argv: []string{"superlist-spawn"}, session: true,
		stdin: "EHLO client.example\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHBlbmNpbA==\r\n" + strings.TrimPrefix(mailOf("EHLO", list, "one", "two"), "EHLO client.example\r\n")},
	{name: "deliver: a post", prepare: waits("one"), argv: superlistDo("deliver")},
	{name: "deliver: a post on the web, in a digest, each with a footer", argv: superlistDo("deliver"),
		prepare: both(both(archived, set("personal=true", "footer=Bye: {unsubscribe}", "subject_prefix=[dev {number}]", "digest=1")),
			both(func(p *place) { p.try("member", "set", list, "bob@example.com", "digest") }, waits("fourth")))},
	{name: "deliver: somebody asks to join", argv: superlistDo("deliver"), prepare: func(p *place) {
		p.post(strings.ReplaceAll(mailOf("EHLO", "dev+subscribe@lists.example.org", "x"), poster, "new@example.org"))
	}},
	{name: "deliver: a post is held", argv: superlistDo("deliver"), prepare: strangers},
	{name: "member add", argv: superlistDo("member", "add", list, "new@example.org", "zoe@example.org")},
	{name: "member rm", argv: superlistDo("member", "rm", list, "bob@example.com")},
	{name: "member set", argv: superlistDo("member", "set", list, "bob@example.com", "digest")},
	{name: "member import", argv: superlistDo("member", "import", list, "-"), stdin: "new@example.org\nzoe@example.org\n"},
	{name: "member sync", argv: superlistDo("member", "sync", list, "-", "--max-remove", "5"), stdin: poster + "\nnew@example.org\n"},
	{name: "member mv", argv: superlistDo("member", "mv", "bob@example.com", "bob@example.org")},
	{name: "member erase", argv: superlistDo("member", "erase", poster, "--archive"), prepare: archived},
	{name: "list create", argv: superlistDo("list", "create", "new@new.example.org", "--owner", owner)},
	{name: "list set", argv: superlistDo("list", "set", list, "description=new", "post=anyone", "digest=weekly")},
	{name: "list mv", argv: superlistDo("list", "mv", list, "moved@new.example.org"), prepare: archived},
	{name: "list rm", argv: superlistDo("list", "rm", list, "--yes"), prepare: archived},
	{name: "list copy", argv: superlistDo("list", "copy", list, "other@lists.example.org"), prepare: both(set("footer=Bye", "post=anyone"), func(p *place) {
		p.try("list", "create", "other@lists.example.org", "--owner", owner)
	})},
	{name: "list suspend", argv: superlistDo("list", "suspend", list)},
	{name: "held approve", argv: superlistDo("held", "approve", list, "HELD", "--allow"), prepare: held},
	{name: "held reject", argv: superlistDo("held", "reject", list, "HELD", "--reason", "no"), prepare: held},
	{name: "held discard", argv: superlistDo("held", "discard", list, "HELD"), prepare: held},
	{name: "archive prune", argv: superlistDo("archive", "prune", list, "2"), prepare: archived},
	{name: "archive rm", argv: superlistDo("archive", "rm", list, "2"), prepare: archived},
	{name: "digest", argv: superlistDo("digest", list), prepare: both(func(p *place) { p.try("member", "set", list, "bob@example.com", "digest") }, both(set("digest=daily"), both(waits("one", "two"), deliver)))},
	{name: "web --anew", argv: superlistDo("web", list, "--anew"), prepare: archived},
	{name: "queue retry", argv: superlistDo("queue", "retry", "--all"), prepare: waits("one")},
	{name: "passwd", argv: superlistDo("passwd", "bob@example.com", "--scheme", "cram-md5"), stdin: "a long password\n"},
	{name: "dkim genkey", argv: superlistDo("dkim", "genkey", "DIR/dkim.pem")},
	{name: "import mlmmj", argv: superlistDo("import", "mlmmj", "DIR/mlmmj"), prepare: mlmmj},
	{name: "backup", argv: superlistDo("backup", "DIR/saved"), prepare: archived},
	{name: "restore", argv: superlistDo("restore", "DIR/saved"), prepare: func(p *place) { backedUp(p); p.try("list", "rm", list, "--yes") }},
}
