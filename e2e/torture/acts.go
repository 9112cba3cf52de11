package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"superlist/milter/miltertest"
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
	session  bool   // it brings posts: those it has said to have are there, others may be. It is not done again.
	said     string // what it says for each thing that it has taken; "" in others than sessions: exit code 0 is enough
}

// queuedAs is what a session of SMTP or LMTP says.
const queuedAs = "250 2.0.0 queued as "

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

// packets are those of the milter protocol.
func packets(texts ...string) string {
	all := ""
	for _, text := range texts {
		p, err := miltertest.Packet(text)
		if err != nil {
			panic(err)
		}
		all += string(p)
	}
	return all
}

// milterMail is a connection of an MTA that has a post. It has one only: an MTA waits for the
// answer before it brings another.
func milterMail() string {
	return packets("O 6 0x1ff 0x1fffff", "C client.example 4 4711 192.0.2.7", "H client.example", "M <"+poster+">", "R <"+list+">", "R <zoe@example.com>", "T",
		`L From " `+poster+`"`, `L Message-ID " <one@example.com>"`, `L Subject " one"`, "N", `B "body\r\nend\r\n"`, "E", "Q")
}

// askedByPolicy are two requests of Postfix's smtpd(8).
const askedByPolicy = "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\nsender=eve@example.com\nrecipient=" + list + "\n\n" +
	"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\nsender=eve@example.com\nrecipient=nobody@" + domain + "\n\n"

// press is the button of a mail program that is behind a link (RFC 8058).
const press = "POST LINK HTTP/1.1\r\nHost: " + domain + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\nList-Unsubscribe=One-Click"

// behindPostfix has a Postfix that has other mail, too.
func behindPostfix(p *place) {
	if _, err := exec.LookPath("postconf"); err != nil {
		panic(failure{err})
	}
	for name, text := range map[string]string{
		"main.cf":   "compatibility_level = 3.6\nqueue_directory = " + p.dir + "/queue\ndata_directory = " + p.dir + "/data\nmydestination = example.net\n",
		"master.cf": "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n",
	} {
		os.MkdirAll(filepath.Join(p.dir, "postfix"), 0o755)
		os.WriteFile(filepath.Join(p.dir, "postfix", name), []byte(text), 0o644)
	}
}

// orphaned has the spool of a host that is gone at DIR/gone: one message has come in, and
// one waits for the relay.
func orphaned(p *place) {
	waits("one")(p)
	os.WriteFile(p.dir+"/out", nil, 0o600) // so the relay fails
	p.superlist("deliver")
	os.Remove(p.dir + "/out")
	waits("two")(p)
	os.Rename(p.dir+"/spool", p.dir+"/gone")
	os.Mkdir(p.dir+"/spool", 0o755)
}

func adopted(p *place) { orphaned(p); p.try("queue", "adopt", p.dir+"/gone") }

func backedUp(p *place) { archived(p); p.try("backup", p.dir+"/saved") }

var acts = []act{
	{name: "spawn: three posts", argv: []string{"superlist-spawn"}, stdin: mailOf("EHLO", list, "one", "two", "three"), session: true, said: queuedAs},
	{name: "spawn: LMTP", argv: []string{"superlist-spawn"}, stdin: mailOf("LHLO", list, "one", "two"), session: true, said: queuedAs},
	{name: "session: after AUTH", argv: []string{"superlist-spawn"}, session: true, said: queuedAs,
		stdin: "EHLO client.example\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHBlbmNpbA==\r\n" + strings.TrimPrefix(mailOf("EHLO", list, "one", "two"), "EHLO client.example\r\n")},
	{name: "milter: a post", argv: []string{"superlist-milter"}, stdin: milterMail(), session: true, said: packets("- <"+list+">", "c")},
	{name: "policy: two requests", argv: []string{"superlist-policy"}, stdin: askedByPolicy, said: "action=550 "},
	{name: "web: somebody leaves", argv: []string{"superlist-web"}, prepare: both(set("personal=true"), archived), stdin: press, said: "HTTP/1.1 200 "},
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
	{name: "queue adopt", argv: superlistDo("queue", "adopt", "DIR/gone"), prepare: orphaned},
	{name: "queue reclaim", argv: superlistDo("-c", "DIR/gone.toml", "queue", "reclaim"), prepare: func(p *place) {
		adopted(p)
		os.WriteFile(p.dir+"/gone.toml", []byte(strings.Replace(configOf(p.dir, ""), "/spool\"", "/gone\"", 1)), 0o600)
	}},
	{name: "setup postfix --apply", argv: superlistDo("setup", "postfix", "--apply", "--yes"), prepare: behindPostfix, env: []string{"MAIL_CONFIG=DIR/postfix"}},
	{name: "setup postfix --undo", argv: superlistDo("setup", "postfix", "--undo", "--yes"), prepare: func(p *place) { behindPostfix(p); p.try("setup", "postfix", "--apply", "--yes") }, env: []string{"MAIL_CONFIG=DIR/postfix"}},
	{name: "passwd", argv: superlistDo("passwd", "bob@example.com", "--scheme", "cram-md5"), stdin: "a long password\n"},
	{name: "dkim genkey", argv: superlistDo("dkim", "genkey", "DIR/dkim.pem")},
	{name: "import mlmmj", argv: superlistDo("import", "mlmmj", "DIR/mlmmj"), prepare: mlmmj},
	{name: "backup", argv: superlistDo("backup", "DIR/saved"), prepare: archived},
	{name: "restore", argv: superlistDo("restore", "DIR/saved"), prepare: func(p *place) { backedUp(p); p.try("list", "rm", list, "--yes") }},
}
