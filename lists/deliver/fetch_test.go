package deliver

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/digest"
	"superlist/lists/edit"
	"superlist/lists/people"
	"superlist/lists/quota"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// unpacked takes a letter apart: its text, and the messages behind that.
func unpacked(t *testing.T, m *mail.Message) (text string, parts []*multipart.Part, contents []string) {
	t.Helper()
	kind, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	decode := func(encoding string, r io.Reader) string {
		if encoding == "quoted-printable" {
			r = quotedprintable.NewReader(r)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if kind != "multipart/mixed" {
		return decode(m.Header.Get("Content-Transfer-Encoding"), m.Body), nil, nil
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return text, parts, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			text = decode(p.Header.Get("Content-Transfer-Encoding"), p)
			continue
		}
		parts = append(parts, p)
		contents = append(contents, decode("", p))
	}
}

// TestGet: a member gets an old post byte for byte as it was sent; nobody else
// gets it, and owners do.
func TestGet(t *testing.T) {
	w, l, person := newPeople(t)
	bob, eve, olga := person("bob@example.net"), person("eve@example.net"), person("olga@example.org")
	const body = "Hello  all,\r\n.a dot\r\n\tno trailing \r\n\r\n--=_x\r\nGr\xfc\xdfe, in Latin 1\r\n\r\n"
	w.inbound(queue.Head{Body: "8BITMIME"}, "bob@example.net",
		"From: bob@example.net\r\nX-Odd :  kept\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\tall\r\nMessage-ID: <1@example.net>\r\n\r\n"+body, "dev@lists.example.org")
	w.deliver()
	sent := bob.letters()
	if len(sent) != 1 || !strings.HasSuffix(sent[0].Message, body) {
		t.Fatalf("the post: %q", sent)
	}

	bob.says("dev+get-1@lists.example.org", "x")
	answer := bob.letter("Old posts to dev@lists.example.org: 1")
	text, parts, contents := unpacked(t, answer)
	if len(contents) != 1 || contents[0] != sent[0].Message {
		t.Errorf("the old post is\n%q\nand it was\n%q", contents, sent[0].Message)
	}
	if kind := parts[0].Header.Get("Content-Type"); kind != "message/rfc822" || parts[0].FileName() != "dev-1.eml" {
		t.Errorf("the part is %v", parts[0].Header)
	}
	if !strings.Contains(text, "asked for: 1. They") || strings.Contains(text, "{") || strings.Contains(text, "For the rest") {
		t.Errorf("the text is\n%s", text)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-replied", "In-Reply-To": "<q@client>", "Precedence": "bulk"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	olga.says("dev+request@lists.example.org", "get 1")
	if _, _, contents := unpacked(t, olga.letter("Old posts to dev@lists.example.org: 1")); len(contents) != 1 || contents[0] != sent[0].Message {
		t.Errorf("the owner gets %q", contents)
	}

	w.wantWire("550 5.7.1 only members get old posts of dev@lists.example.org, and eve@example.net is not a member; the owners are at dev+owner@lists.example.org",
		"eve@example.net", "dev+get-1@lists.example.org", "From: eve@example.net\r\n\r\n")
	eve.says("dev+request@lists.example.org", "get 1") // no session has read that
	eve.letter("How to use dev@lists.example.org")
	if got := append(bob.letters(), olga.letters()...); len(got) > 0 {
		t.Errorf("and more went out: %v", got)
	}
	if err := edit.Set(l, []string{"archive_access=anyone"}); err != nil {
		t.Fatal(err)
	}
	eve.says("dev+get-1@lists.example.org", "x")
	eve.letter("Old posts to dev@lists.example.org: 1")
	w.wantEmpty()
}

// fill puts posts into the list's archive.
func fill(t *testing.T, l *lists.List, posts ...string) {
	t.Helper()
	im, err := digest.Archive(l).Import()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range posts {
		if err := im.Add(im.Last()+1, archive.Post{Time: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Content: strings.NewReader(p)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
}

func old(id, answers, body string) string {
	return fmt.Sprintf("From: \"Ann\" <ann@example.com>\r\nSubject: about %s\r\nMessage-ID: <%s@x>\r\nIn-Reply-To: %s\r\n\r\n%s\r\n", id, id, answers, body)
}

// TestGetSome: ranges, threads, what has no room, and what is gone.
func TestGetSome(t *testing.T) {
	_, l, person := newPeople(t)
	bob := person("bob@example.net")
	large := strings.Repeat(strings.Repeat("x", 78)+"\r\n", people.MaxGetBytes/2/80)
	fill(t, l, old("a", "", "1"), old("b", "<a@x>", "2"), old("c", "", "3"), old("d", "<b@x>", "4"),
		old("e", "", large), old("f", "", large), old("g", "", large), old("h", "", large+large), old("i", "<a@x>", "9"))
	for range people.MaxGet {
		fill(t, l, old("z", "<z@x>", "z"))
	}
	os.Remove(filepath.Join(l.Dir, "archive", "000", "000003"))
	for _, c := range []struct {
		verb, posts, next string
		gone              bool
	}{
		{verb: "get-1-4", posts: "1-2, 4"},
		{verb: "get-1_2", posts: "1-2"},
		{verb: "GET.2_2", posts: "2"},
		{verb: "get-4-7", posts: "4-5", next: "get-6-7"},
		{verb: "get-6-9", posts: "6", next: "get-7-9"},
		{verb: "get-8-9", posts: "8", next: "get-9-9"},
		{verb: "get-10-200", posts: "10-109"},
		{verb: "get-9-200", posts: "9-108", next: "get-109-109"},
		{verb: "get-3", gone: true},
		{verb: "thread-1", posts: "1-2, 4, 9"},
		{verb: "thread-4", posts: "1-2, 4, 9"},
		{verb: "thread-1-4", posts: "4, 9"},
		{verb: "thread-50", posts: "10-109"},
		{verb: "thread-3", gone: true},
	} {
		bob.says("dev+"+c.verb+"@lists.example.org", "x")
		word := "Old posts to"
		if strings.HasPrefix(c.verb, "thread") {
			word = "A thread on"
		}
		subject := word + " dev@lists.example.org: " + c.posts
		if c.gone {
			subject = "No such post in the archive of dev@lists.example.org"
		}
		text, _, contents := unpacked(t, bob.letter(subject))
		_, next, _ := strings.Cut(text, "For the rest write to\r\ndev+")
		next, _, _ = strings.Cut(next, "@")
		if next != c.next {
			t.Errorf("%s: the rest is %q, want %q", c.verb, next, c.next)
		}
		for i, content := range contents {
			n := strings.Count(content, "Message-ID: <")
			if n != 1 || !strings.HasSuffix(content, "\r\n") {
				t.Errorf("%s: part %d is %q", c.verb, i, content)
			}
		}
	}
}

// TestGetOdd: what is no lines goes in base64, and a header beyond ASCII is said.
func TestGetOdd(t *testing.T) {
	w, l, person := newPeople(t)
	bob := person("bob@example.net")
	fill(t, l, "From: a@x\r\n\r\na\x00b\nc\r\n", "From: a@x\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nx\r\n", "From: a@x\r\n\r\nno end")
	bob.says("dev+get-1-3@lists.example.org", "x")
	_, parts, contents := unpacked(t, bob.letter("Old posts to dev@lists.example.org: 1-3"))
	var got []string
	for _, p := range parts {
		got = append(got, p.Header.Get("Content-Type")+" "+p.Header.Get("Content-Transfer-Encoding"))
	}
	want := []string{"application/octet-stream base64", "message/global 8bit", "message/rfc822 8bit"}
	if !slices.Equal(got, want) || !strings.HasSuffix(contents[1], "Gr\xc3\xbc\xc3\x9fe\r\n\r\nx\r\n") || !strings.HasSuffix(contents[2], "\r\nno end") {
		t.Errorf("%v %q", got, contents)
	}
	w.wantEmpty()
}

// TestGetRequireTLS: a post that may leave by verified TLS alone makes letters of
// the same kind.
func TestGetRequireTLS(t *testing.T) {
	w, l, _ := newPeople(t)
	if _, err := l.Posts().Add(archive.Post{ID: "1.0", RequireTLS: true, Content: strings.NewReader(old("a", "", "x"))}); err != nil {
		t.Fatal(err)
	}
	w.message("bob@example.net", "From: bob@example.net\r\n\r\n", "dev+get-1@lists.example.org")
	r := w.runner()
	entries, err := r.Spool.List(queue.Inbound)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	m, err := r.Spool.Claim(queue.Inbound, entries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := r.expand(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	entries, err = r.Spool.List(queue.Outbound)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	answer, err := r.Spool.Open(queue.Outbound, entries[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if !answer.RequireTLS {
		t.Error("the letter may leave without TLS")
	}
}

// TestIndex: the lines around a post, or the last ones.
func TestIndex(t *testing.T) {
	_, l, person := newPeople(t)
	bob := person("bob@example.net")
	var posts []string
	for i := range 250 {
		posts = append(posts, old(fmt.Sprint("p", i+1), "", "x"))
	}
	posts[249] = "From: =?iso-8859-1?q?J=F6rg?= <j@x>\r\nSubject: a\r\n\t=?utf-8?b?CmIbW0o=?= {owner}\r\n\r\n"
	fill(t, l, posts...)
	for verb, want := range map[string][3]string{
		"index":     {"151-250", "   250  2026-11-24  Jörg: a b [J {owner}", "index-100"},
		"index-100": {"51-150", "   100  2026-11-24  Ann: about p100", "index-1"},
		"index-1":   {"1-100", "     1  2026-11-24  Ann: about p1\r\n", ""},
		"index-250": {"151-250", "   151  2026-11-24  Ann: about p151", "index-100"},
		"index-240": {"151-250", "", "index-100"},
		"index.60":  {"11-110", "", "index-1"},
	} {
		bob.says("dev+"+verb+"@lists.example.org", "x")
		text, _, _ := unpacked(t, bob.letter("Index of dev@lists.example.org: "+want[0]))
		if !strings.Contains(text, want[1]) || strings.Count(text, "2026-11-24") != 100 {
			t.Errorf("%s:\n%s\nhas no %q", verb, text, want[1])
		}
		_, earlier, _ := strings.Cut(text, "For earlier posts write to dev+")
		if earlier, _, _ = strings.Cut(earlier, "@"); earlier != want[2] {
			t.Errorf("%s: earlier ones by %q, want %q", verb, earlier, want[2])
		}
	}
}

// TestRoll: owners hear who is on the list, and nobody else does.
func TestRoll(t *testing.T) {
	w, _, person := newPeople(t)
	olga, bob := person("olga@example.org"), person("bob@example.net")
	for _, verb := range []string{"list", "who"} {
		olga.says("dev+"+verb+"@lists.example.org", "x")
		text, _, _ := unpacked(t, olga.letter("The members of dev@lists.example.org"))
		if !strings.Contains(text, "    bob@example.net\r\n") || !strings.Contains(text, "1 addresses are subscribed") || strings.Contains(text, "more have no room") {
			t.Errorf("%s: the letter says\n%s", verb, text)
		}
	}
	olga.says("dev+request@lists.example.org", "who")
	olga.letter("The members of dev@lists.example.org")
	w.wantWire("550 5.7.1 only owners may see the members of dev@lists.example.org, and bob@example.net is not an owner; the owners are at dev+owner@lists.example.org",
		"bob@example.net", "dev+list@lists.example.org", "From: bob@example.net\r\n\r\n")
	bob.says("dev+request@lists.example.org", "who")
	bob.letter("How to use dev@lists.example.org")
}

// TestRollLimit: so many are in a letter, and how many are not.
func TestRollLimit(t *testing.T) {
	w, l, person := newPeople(t)
	for _, n := range []int{people.MaxRoll, people.MaxRoll + 1} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "m%05d@example.com\n", i)
		}
		if err := os.WriteFile(l.Dir+"/members", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		olga := person("olga@example.org")
		olga.read = len(olga.f.Taken())
		olga.says("dev+list@lists.example.org", "x")
		text, _, _ := unpacked(t, olga.letter("The members of dev@lists.example.org"))
		if strings.Count(text, "@example.com\r\n") != people.MaxRoll || strings.Contains(text, "1 more do not fit here") != (n > people.MaxRoll) {
			t.Errorf("%d members: %d are in the letter:\n%s", n, strings.Count(text, "@example.com\r\n"), text[len(text)-300:])
		}
	}
	w.wantEmpty()
}

// TestFetchQuota: one person gets so much a day, by size.
func TestFetchQuota(t *testing.T) {
	_, l, person := newPeople(t)
	bob := person("bob@example.net")
	fill(t, l, old("a", "", "x"), old("b", "", strings.Repeat("x", 3*quota.FetchUnit)))
	n := 0
	for ; n < 2*quota.MaxFetched; n++ {
		bob.says("dev+get-2@lists.example.org", "x")
		if len(bob.letters()) == 0 {
			break
		}
	}
	if n != (quota.MaxFetched+3)/4 {
		t.Errorf("bob got %d letters of four units each", n)
	}
	bob.says("dev+index@lists.example.org", "x")
	bob.says("dev+help@lists.example.org", "x")
	bob.letter("How to use dev@lists.example.org")
}

// TestHelpOffers: the letter that explains says what there is, and not what there
// is not.
func TestHelpOffers(t *testing.T) {
	for _, c := range []struct {
		setting string
		offers  bool
	}{{"archive=true", true}, {"archive=false", false}, {"archive_access=nobody", false}} {
		for _, language := range []string{"en", "de", "es", "fr", "ja"} {
			_, _, person := newPeople(t, c.setting, "language="+language)
			bob := person("bob@example.net")
			bob.says("dev+help@lists.example.org", "x")
			got := bob.letters()
			m, err := mail.ReadMessage(strings.NewReader(got[0].Message))
			if err != nil {
				t.Fatal(err)
			}
			text, _, _ := unpacked(t, m)
			for _, verb := range []string{"index", "get-12", "thread-12"} {
				if strings.Contains(text, "dev+"+verb+"@lists.example.org") != c.offers {
					t.Errorf("%s, %s: %s in\n%s", c.setting, language, verb, text)
				}
			}
		}
	}
}

// TestArchiveOff: a list that keeps no posts has no archive.
func TestArchiveOff(t *testing.T) {
	w, l, person := newPeople(t, "archive=false")
	w.message("bob@example.net", "From: bob@example.net\r\n\r\nx\r\n", "dev@lists.example.org")
	w.deliver()
	if got := person("bob@example.net").letters(); len(got) != 1 {
		t.Errorf("and the post: %q", got)
	}
	if _, err := os.Stat(filepath.Join(l.Dir, "archive")); !os.IsNotExist(err) {
		t.Errorf("there is one: %v", err)
	}
}

// TestArchiveWithoutMembers: what nobody gets is kept all the same, once.
func TestArchiveWithoutMembers(t *testing.T) {
	w, l, _ := newPeople(t)
	os.WriteFile(l.Dir+"/members", []byte("bob@example.net nomail\n"), 0o600)
	w.message("bob@example.net", "From: bob@example.net\r\n\r\nx\r\n", "dev@lists.example.org")
	w.deliver()
	if last, err := l.Posts().Last(); last != 1 || err != nil {
		t.Errorf("%d posts, %v", last, err)
	}
	w.wantEmpty()
}

// TestFaultGet fails every system call of deliver in turn while it answers
// somebody who wants an old post: they get one letter, or a second where what became
// of the first was hidden.
func TestFaultGet(t *testing.T) {
	disktest.Each(t, 10, func(f *disktest.Fault) {
		dir := t.TempDir()
		site := faultSite(t, dir)
		if err := deliverOnce(site, together, nil); err != nil {
			t.Fatal(err)
		}
		w, err := site.Spool().Create(queue.Head{From: path("a@example.com")})
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: path("dev+get-1@lists.example.org")})
		io.WriteString(w, "From: a@example.com\r\n\r\n")
		if err := w.Commit(queue.Inbound); err != nil {
			t.Fatal(err)
		}
		deliverOnce(onDisk(site, f.Disk()), together, nil)
		if err := makeDue(site); err != nil {
			t.Fatal(err)
		}
		if err := deliverOnce(site, together, nil); err != nil {
			t.Errorf("%s: again: %v", f, err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "out", "a@example.com", "new", "*"))
		letters := 0
		for _, file := range files {
			text, _ := os.ReadFile(file)
			if strings.Contains(string(text), "\nSubject: Old posts to dev@lists.example.org: 1\n") && strings.Contains(string(text), "Subject: once\n\nbody\n") {
				letters++
			}
		}
		if letters != 1 && !(hidden(f.Call, f.Path) && letters == 2) {
			t.Errorf("%s: %d letters", f, letters)
		}
	})
}
