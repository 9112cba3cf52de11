package web

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/archive"
	"superlist/lists/mail/charset"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

var began = time.Date(2026, 9, 3, 8, 15, 0, 0, time.UTC)

// newList is a public list without posts.
func newList(t testing.TB) *List { return listIn(t.TempDir(), disktest.Lazy()) }

func listIn(dir string, d *disk.Disk) *List {
	l := &List{
		Name: "dev", Domain: "lists.example.org", Delimiter: "+", Description: "Development of the frobnicator", Language: "en",
		Post: "members", Subscribe: "confirm", Public: true, Veil: VeilName, MBox: MBoxVeiled,
		Base: "https://lists.example.org/dev/", Dir: filepath.Join(dir, "www", "lists.example.org", "dev"), Books: filepath.Join(dir, "dev", "web"),
		Posts: &archive.Store{Dir: filepath.Join(dir, "dev", "archive"), Words: charset.Words, Disk: d}, Disk: d,
	}
	os.MkdirAll(filepath.Join(dir, "dev"), 0o755)
	l.words = wordsIn(l.Language)
	return l
}

// A mail is a post of a test.
type mail struct {
	from, subject, id, answers string
	header                     string // lines
	body                       string
	after                      time.Duration // since the first
}

func (m mail) text() string {
	b := "From: " + m.from + "\n"
	if m.subject != "" {
		b += "Subject: " + m.subject + "\n"
	}
	if m.id != "" {
		b += "Message-ID: <" + m.id + "@mail.example.com>\n"
	}
	if m.answers != "" {
		b += "In-Reply-To: <" + m.answers + "@mail.example.com>\n"
	}
	return strings.ReplaceAll(b+"Date: Thu, 3 Sep 2026 08:15:00 +0000\n"+m.header+"\n"+m.body, "\n", "\r\n")
}

func postOf(m mail, n int) archive.Post {
	return archive.Post{ID: fmt.Sprint("p", n), Time: began.Add(m.after), Content: strings.NewReader(m.text())}
}

// add puts posts into the archive.
func add(t testing.TB, l *List, mails ...mail) {
	t.Helper()
	last, err := l.Posts.Last()
	if err != nil {
		t.Fatal(err)
	}
	im, err := l.Posts.Import() // which syncs once for all
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mails {
		if err := im.Add(last+i+1, postOf(m, last+i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
}

// update brings the pages up to date.
func update(t testing.TB, l *List) {
	t.Helper()
	for range 10000 {
		more, err := l.Update(Step)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("it does not come to an end")
}

// files are the pages, by their paths, without those that have no text of the list.
func files(t testing.TB, l *List) map[string]string {
	t.Helper()
	all := make(map[string]string)
	filepath.WalkDir(l.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		name, _ := filepath.Rel(l.Dir, path)
		all[name] = string(text)
		return nil
	})
	return all
}

const patch = `From: Carol

The allocator forgets to count the guard page. This was seen with
CONFIG_GUARD=y only.

Signed-off-by: Carol <carol@example.net>
---
 src/alloc.c | 4 ++--
 1 file changed, 2 insertions(+), 2 deletions(-)

diff --git a/src/alloc.c b/src/alloc.c
index 3f1c2d4..9a8b7c6 100644
--- a/src/alloc.c
+++ b/src/alloc.c
@@ -41,7 +41,7 @@ static size_t round_up(size_t n)
 struct arena *arena_new(size_t size)
 {
-	size_t total = round_up(size);
+	size_t total = round_up(size) + GUARD; /* <b>one</b> page more, and a very long comment that no narrow screen has room for */
 	struct arena *a = map(total);
 
 	if (!a)
 		return NULL;
-- 
2.45.1
`

// conversation is a list as there are many: a question, a patch, a digression.
func conversation() []mail {
	day := 24 * time.Hour
	return []mail{
		{"Alice Liddell <alice@example.com>", "Does anybody still use the old parser?", "a1", "", "",
			"Hello all,\n\nI would like to remove the old parser in the next release. It is 2,300 lines,\nnobody has touched it since 2019, and the two bugs that we know of it are\nnot worth mending: see https://bugs.example.org/show?id=4711 and\n<https://bugs.example.org/show?id=4712>.\n\nIf you need it, please say so now.\n\n-- \nAlice Liddell\nWonderland Systems, Oxford\n", 0},
		{"Bob Builder <bob@example.net>", "Re: Does anybody still use the old parser?", "a2", "a1", "Content-Type: text/plain; format=flowed\n",
			"On Thu, 3 Sep 2026, Alice Liddell <alice@example.com> wrote:\n> I would like to remove the old parser in the next release. It is 2,300 lines, \n> nobody has touched it since 2019.\n\nWe do, in two places, and both could move. What we would need is a way to ask \nfor the old escapes, which the new one reads in another way. If that were a \nflag, I should have nothing against it, and could even test it for a week or \ntwo on what we have here.\n", 3 * time.Hour},
		{"=?utf-8?q?J=C3=BCrgen_Gro=C3=9F?= <juergen@example.de>", "Re: Does anybody still use the old parser?", "a3", "a2", "Content-Type: text/plain; charset=utf-8\n",
			"Bob Builder wrote:\n> > nobody has touched it since 2019.\n>\n> We do, in two places, and both could move.\n\nSo do we. Grüße!\n", 5 * time.Hour},
		{"Alice Liddell <alice@example.com>", "Re: Does anybody still use the old parser?", "a4", "a2", "", "A flag it is. Patch follows.\n", 26 * time.Hour},
		{"Carol <carol@example.net>", "[PATCH 1/2] alloc: count the guard page", "b1", "", "", patch, 2 * day},
		{"Dave <dave@example.org>", "Re: [PATCH 1/2] alloc: count the guard page", "b2", "b1", "",
			"> -	size_t total = round_up(size);\n> +	size_t total = round_up(size) + GUARD;\n\nReviewed-by: Dave <dave@example.org>\n", 3 * day},
		{"山田太郎 <yamada@example.jp>", "=?utf-8?b?5pel5pys6Kqe44Gu5Lu25ZCN?=", "c1", "", "Content-Type: text/plain; charset=utf-8\n", "こんにちは。\n\n> 引用\n\nよろしくお願いします。\n", 20 * day},
		{"\"Eve\" <eve@example.com>", "News", "d1", "", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n",
			"--x\nContent-Type: text/html; charset=utf-8\n\n<html><head><style>p{color:red}</style></head><body><h1>Release 4.2</h1><p>The release is <a href=\"https://example.org/releases/4.2\">out</a>. It has:</p><ul><li>a new parser</li><li>fewer surprises</li></ul><blockquote>As promised last year.</blockquote><script>alert(1)</script></body></html>\n--x\nContent-Type: application/pdf; name=\"notes.pdf\"\nContent-Disposition: attachment; filename=\"../../etc/notes.pdf\"\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--x--\n", 35 * day},
		{"Alice via dev <dev@lists.example.org>", "Re: News", "d2", "d1", "", "Congratulations!\n", 70 * day},
		{"Bob Builder <bob@example.net>", "A digression (was: News)", "d3", "d2", "", "Speaking of surprises...\n", 71 * day},
	}
}

// TestLook writes a list as there are many, with links to superlist-web. LOOK names a
// directory for those who want to look at it in a browser.
func TestLook(t *testing.T) {
	l := listIn(cmp.Or(os.Getenv("LOOK"), t.TempDir()), disktest.Lazy())
	l.Requests, l.MBox = true, MBoxFull
	add(t, l, conversation()...)
	update(t, l)
	all := files(t, l)
	for path, link := range map[string]string{
		postPath(8):  `<a rel="nofollow" href="https://lists.example.org/dev/8/part/2"><bdi>../../etc/notes.pdf</bdi></a>`,
		postPath(1):  `<a rel="nofollow" href="https://lists.example.org/dev/1/raw">Original message</a>`,
		"t/0/1.html": `<a rel="nofollow" href="https://lists.example.org/dev/1/t.mbox.gz">download as mbox</a>`,
		"t/0/8.html": `href="https://lists.example.org/dev/8/part/2"`,
	} {
		if !strings.Contains(all[path], link) {
			t.Errorf("%s is without %s:\n%s", path, link, all[path])
		}
	}
}
