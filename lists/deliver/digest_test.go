package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/digest"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/sitetest"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// An issue is a digest as a member's mail program reads it.
type issue struct {
	from, subject, text string
	header              mail.Header
	posts, kinds        []string
}

// readIssue takes a message apart; it is not a digest, and no issue, where its posts
// are not in a multipart/digest.
func readIssue(t testing.TB, message string) (d issue, ok bool) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if kind != "multipart/mixed" || !strings.Contains(message, "multipart/digest") {
		return d, false
	}
	d.header = m.Header
	if d.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Error(err)
	}
	outer := multipart.NewReader(m.Body, params["boundary"])
	text, err := outer.NextPart() // decodes quoted-printable
	if err != nil {
		t.Fatal(err)
	}
	d.text = contentOf(t, text)
	digest, err := outer.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	_, params, _ = mime.ParseMediaType(digest.Header.Get("Content-Type"))
	inner := multipart.NewReader(digest, params["boundary"])
	for {
		post, err := inner.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		d.posts, d.kinds = append(d.posts, contentOf(t, post)), append(d.kinds, post.Header.Get("Content-Type"))
	}
	if _, err := outer.NextRawPart(); err != io.EOF {
		t.Errorf("behind the digest: %v", err)
	}
	return d, true
}

func contentOf(t testing.TB, r io.Reader) string {
	t.Helper()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// issues are the digests that the relay has taken for somebody, and posts what else.
func issues(t testing.TB, f *fakeRelay, who string) (digests []issue, posts []string) {
	t.Helper()
	for _, got := range f.Taken() {
		if got.To != who {
			continue
		}
		if d, ok := readIssue(t, got.Message); ok {
			d.from = got.From
			digests = append(digests, d)
		} else {
			posts = append(posts, got.Message)
		}
	}
	return digests, posts
}

func digestWorld(t *testing.T, settings []string, members ...string) (*world, *fakeRelay, *lists.List) {
	t.Helper()
	f := &fakeRelay{Extensions: "PIPELINING 8BITMIME XVERP"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", members...)
	if err := edit.Set(l, settings); len(settings) > 0 && err != nil {
		t.Fatal(err)
	}
	l, err := lists.Of(w.site).Open(l.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return w, f, l
}

// at puts the world's clock to a time of the day, so many days from today, where
// this host is.
func (w *world) at(day, hour, minute int) {
	y, m, d := time.Now().Date()
	w.later = time.Until(time.Date(y, m, d+day, hour, minute, 0, 0, time.Local))
}

// TestDigest is the way of three posts: each member who wants them at once gets
// them, and who wants digests gets one when the day is over, with the same bytes.
func TestDigest(t *testing.T) {
	w, f, _ := digestWorld(t, nil, "a@example.com", "b@example.com digest", "c@example.com digest noown nocopy name=C",
		"d@example.com digest nomail", "e@example.com digest vacation=2099-12-31", "f@example.com nomail")
	w.at(1, 9, 0)
	w.post("alice@example.com", dev)
	w.deliver()
	w.at(1, 12, 0)
	w.message("c@example.com", "From: \"C. D.\" <c@example.com>\r\nTo: dev@lists.example.org, b@example.com\r\nMessage-ID: <2@x>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nplain\r\n", dev)
	w.message("j@example.com", "From: jörg@example.com\r\nMessage-ID: <3@x>\r\nSubject: über alles\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\n\r\nGrüße\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n", dev)
	w.deliver()
	w.at(1, 23, 59)
	w.deliver()
	for _, who := range []string{"b@example.com", "c@example.com"} {
		if digests, posts := issues(t, f, who); len(digests)+len(posts) > 0 {
			t.Errorf("before midnight %s has %d digests and %d posts", who, len(digests), len(posts))
		}
	}
	w.at(2, 0, 1)
	w.deliver()
	w.at(2, 0, 2)
	w.deliver()
	w.at(5, 0, 2)
	w.deliver() // without posts there is none
	_, single := issues(t, f, "a@example.com")
	if len(single) != 3 {
		t.Fatalf("a has %d posts", len(single))
	}
	for _, who := range []string{"b@example.com", "c@example.com"} {
		digests, posts := issues(t, f, who)
		if len(digests) != 1 || len(posts) != 0 {
			t.Fatalf("%s has %d digests and %d posts; log:\n%s", who, len(digests), len(posts), &w.log)
		}
		d := digests[0]
		if !slices.Equal(d.posts, single) {
			t.Errorf("the digest has\n%q, the others got\n%q", d.posts, single)
		}
		if want := []string{"message/rfc822", "", "message/global"}; !slices.Equal(d.kinds, want) { // X-Latin is not UTF-8
			t.Errorf("they are %q", d.kinds)
		}
		for _, want := range []string{"1. ", "2. Grüße\r\n       \"C. D.\" <c@example.com>", "3. über alles\r\n       jörg@example.com", "dev+subscribe@lists", "dev+unsubscribe@lists"} {
			if !strings.Contains(d.text, want) {
				t.Errorf("no %q in\n%s", want, d.text)
			}
		}
		if d.subject != "dev@lists.example.org digest 1: 1-3" {
			t.Errorf("the subject is %q", d.subject)
		}
		for name, want := range map[string]string{
			"From": `"dev@lists.example.org" <dev@lists.example.org>`, "To": "<dev@lists.example.org>", "Precedence": "list", "Sender": "dev@lists.example.org",
			"List-Id": "\"Builders\" <dev.lists.example.org>", "List-Unsubscribe": "<mailto:dev+unsubscribe@lists.example.org>", "Delivered-To": "dev@lists.example.org",
			"Auto-Submitted": "auto-generated", "Content-Transfer-Encoding": "8bit",
		} {
			if got := d.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if !strings.HasPrefix(d.from, "dev+bounces-") || !strings.HasSuffix(d.from, "+"+strings.Replace(who, "@", "=", 1)+"@lists.example.org") {
			t.Errorf("the return path is %s", d.from)
		}
	}
	for _, who := range []string{"d@example.com", "e@example.com", "f@example.com"} {
		if digests, posts := issues(t, f, who); len(digests)+len(posts) > 0 {
			t.Errorf("%s has %d digests and %d posts", who, len(digests), len(posts))
		}
	}
	w.wantEmpty()
	if left, _ := filepath.Glob(w.site.QueueDir + "/reminders/*"); len(left) > 0 {
		t.Errorf("reminders: %q", left)
	}
}

// say posts so many short posts.
func (w *world) say(from, to int) {
	w.t.Helper()
	for n := from; n <= to; n++ {
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nMessage-ID: <%d@x>\r\nSubject: post %d\r\n\r\n%d\r\n", n, n, n), dev)
		w.deliver()
	}
}

// subjectsOf are the subjects of the posts of digests.
func subjectsOf(digests []issue) string {
	var all []string
	for _, d := range digests {
		var posts []string
		for _, post := range d.posts {
			m, _ := mail.ReadMessage(strings.NewReader(post))
			posts = append(posts, strings.TrimPrefix(m.Header.Get("Subject"), "post "))
		}
		all = append(all, strings.Join(posts, " "))
	}
	return strings.Join(all, ", ")
}

// TestDigestPace: weekly, or after so many posts, and at the latest after a month;
// and what is left when a list stops it.
func TestDigestPace(t *testing.T) {
	const b = "b@example.com"
	want := func(f *fakeRelay, what, posts string) {
		t.Helper()
		if digests, _ := issues(t, f, b); subjectsOf(digests) != posts {
			t.Errorf("%s: %q, want %q", what, subjectsOf(digests), posts)
		}
	}

	w, f, _ := digestWorld(t, []string{"digest=weekly"}, b+" digest")
	sunday := int(7-time.Now().Weekday()) % 7
	w.at(sunday, 9, 0)
	w.say(1, 2)
	w.at(sunday, 23, 59)
	w.deliver()
	want(f, "on Sunday", "")
	w.at(sunday+1, 0, 1)
	w.say(3, 3)
	want(f, "on Monday", "1 2 3")
	w.at(sunday+7, 23, 59)
	w.deliver()
	want(f, "the Sunday after", "1 2 3")
	w.say(4, 4)
	w.at(sunday+8, 0, 1)
	w.deliver()
	want(f, "the Monday after", "1 2 3, 4")
	w.wantEmpty()

	w, f, _ = digestWorld(t, []string{"digest=3"}, b+" digest")
	w.at(1, 9, 0)
	w.say(1, 2)
	want(f, "two of three", "")
	w.say(3, 7)
	want(f, "seven, by three", "1 2 3, 4 5 6")
	w.at(31, 0, 1)
	w.deliver()
	want(f, "after a month", "1 2 3, 4 5 6, 7")
	w.wantEmpty()

	w, f, l := digestWorld(t, nil, b+" digest")
	w.at(1, 9, 0)
	w.say(1, 1)
	if err := edit.Set(l, []string{"digest=off"}); err != nil {
		t.Fatal(err)
	}
	w.say(2, 2)
	_, posts := issues(t, f, b)
	if len(posts) != 1 || !strings.Contains(posts[0], "post 2") {
		t.Errorf("the list sends no digests, and the member got %q", posts)
	}
	w.at(2, 0, 1)
	w.deliver()
	want(f, "no digests any more", "1")
	w.wantEmpty()

	w, f, l = digestWorld(t, []string{"digest=weekly"}, b+" digest")
	w.at(sunday+1, 9, 0)
	w.say(1, 1)
	if err := edit.Set(l, []string{"digest=daily"}); err != nil {
		t.Fatal(err)
	}
	w.say(2, 2)
	w.at(sunday+2, 0, 1)
	w.deliver()
	want(f, "daily in place of weekly", "1 2")
	w.at(sunday+9, 0, 1)
	w.deliver() // where the old reminder finds nothing
	want(f, "a week later", "1 2")
	if left, _ := filepath.Glob(w.site.QueueDir + "/reminders/*"); len(left) > 0 {
		t.Errorf("reminders: %q", left)
	}
}

// TestDigestMembers: posts wait for members who want them in digests, and only
// since there are some.
func TestDigestMembers(t *testing.T) {
	w, f, l := digestWorld(t, nil, "a@example.com")
	w.at(1, 9, 0)
	w.say(1, 1)
	if left, _ := filepath.Glob(w.site.QueueDir + "/reminders/*"); len(left) > 0 {
		t.Errorf("reminders of a list without digests: %q", left)
	}
	edit := func(word string, to members.Delivery) {
		t.Helper()
		err := edit.Members(l, func(set members.Set) error { set.Change(path(word), to); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	edit("a@example.com", members.InDigests)
	w.say(2, 3)
	w.at(2, 0, 1)
	w.deliver()
	digests, posts := issues(t, f, "a@example.com")
	if subjectsOf(digests) != "2 3" || len(posts) != 1 {
		t.Errorf("%q and %d posts", subjectsOf(digests), len(posts))
	}

	// When nobody wants the next one it is not sent, and what waited does not
	// wait for who comes later.
	w.say(4, 4)
	edit("a@example.com", members.NoPosts)
	w.at(3, 0, 1)
	w.deliver()
	edit("a@example.com", members.InDigests)
	w.say(5, 5)
	w.at(4, 0, 1)
	w.deliver()
	digests, _ = issues(t, f, "a@example.com")
	if subjectsOf(digests) != "2 3, 5" || digests[1].subject != "dev@lists.example.org digest 2: 5" {
		t.Errorf("%q, %q", subjectsOf(digests), digests[len(digests)-1].subject)
	}
	w.wantEmpty()
}

// TestDigestWithoutArchive: posts are kept until their digest goes out, and no
// longer; an archive that was there before is left alone, and one that is switched
// on or off in between loses nothing.
func TestDigestWithoutArchive(t *testing.T) {
	w, f, l := digestWorld(t, nil, "b@example.com digest")
	kept := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, dir := range []string{"archive", "digest/posts"} {
			files, _ := filepath.Glob(filepath.Join(l.Dir, dir, "???", "*"))
			for _, file := range files {
				text, _ := os.ReadFile(file)
				_, subject, _ := strings.Cut(string(text), "Subject: post ")
				subject, _, _ = strings.Cut(subject, "\r")
				got = append(got, dir[:1]+subject)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: kept are %q, want %q", what, got, want)
		}
	}
	set := func(value string) {
		t.Helper()
		if err := edit.Set(l, []string{"archive=" + value}); err != nil {
			t.Fatal(err)
		}
	}
	w.at(1, 9, 0)
	w.say(1, 1)
	kept("archive", "a1")
	set("false")
	w.say(2, 3) // what waited in the archive goes out
	kept("no archive", "a1", "d2", "d3")
	w.at(2, 0, 1)
	w.deliver()
	kept("no archive, after the digest", "a1")
	w.say(4, 4)
	kept("no archive, the next day", "a1", "d4")
	set("true")
	w.say(5, 5)
	kept("archive again", "a1", "a5")
	w.at(3, 0, 1)
	w.deliver()
	kept("in the end", "a1", "a5")
	digests, _ := issues(t, f, "b@example.com")
	if got := subjectsOf(digests); got != "1, 2 3, 4, 5" {
		t.Errorf("the digests are %q", got)
	}
	ids := make(map[string]bool)
	for _, d := range digests {
		ids[d.header.Get("Message-ID")] = true
	}
	if len(ids) != 4 {
		t.Errorf("their ids are %v", ids)
	}
	w.wantEmpty()
}

// TestDigestImported: old posts that are brought in while others wait are in no
// digest.
func TestDigestImported(t *testing.T) {
	w, f, l := digestWorld(t, nil, "b@example.com digest")
	w.at(1, 9, 0)
	w.say(1, 1)
	im, err := l.Posts().Import()
	if err != nil {
		t.Fatal(err)
	}
	err = im.Add(7, archive.Post{Time: time.Now().AddDate(-1, 0, 0), Content: strings.NewReader("From: old@example.com\r\nSubject: post old\r\n\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	w.say(8, 8)
	w.at(2, 0, 1)
	w.deliver()
	if digests, _ := issues(t, f, "b@example.com"); subjectsOf(digests) != "1 8" {
		t.Errorf("the digests are %q", subjectsOf(digests))
	}
}

// TestDigestLarge: more posts than a digest has, and more bytes, make several; a
// post that is larger than all goes alone.
func TestDigestLarge(t *testing.T) {
	for _, test := range []struct {
		posts, size int
		want        []int
	}{
		{digest.MaxPosts, 10, []int{digest.MaxPosts}},
		{digest.MaxPosts + 1, 10, []int{digest.MaxPosts, 1}},
		{4, digest.MaxBytes/3 - 2000, []int{3, 1}},
		{2, digest.MaxBytes + 1, []int{1, 1}},
	} {
		w, f, l := digestWorld(t, []string{"max_message_size=25MiB"}, "b@example.com digest")
		w.at(1, 9, 0)
		body := strings.Repeat(strings.Repeat("x", 78)+"\r\n", test.size/80) + "end\r\n"
		for n := range test.posts {
			w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nSubject: post %d\r\n\r\n%s", n, body), dev)
		}
		w.deliver()
		made, err := w.runner().Digests().Send(l)
		if err != nil {
			t.Fatal(err)
		}
		w.deliver()
		digests, _ := issues(t, f, "b@example.com")
		var got, said []int
		for i := range digests {
			got = append(got, len(digests[i].posts))
		}
		for _, d := range made {
			said = append(said, d.Posts)
		}
		if !slices.Equal(got, test.want) || !slices.Equal(said, test.want) {
			t.Errorf("%d posts of %d bytes: digests of %v, said to be of %v, want %v", test.posts, test.size, got, said, test.want)
		}
		w.wantEmpty()
	}
}

// TestDigestMemory: fifty posts of a megabyte are never in memory together, nor
// is one of them.
func TestDigestMemory(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, "maildir:"+dir, "")
	l := w.list("dev", "b@example.com digest")
	w.at(1, 9, 0)
	body := strings.Repeat(strings.Repeat("x", 78)+"\r\n", 1<<20/80)
	for n := range 50 {
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nSubject: post %d\r\n\r\n", n)+body, dev)
	}
	w.deliver()
	w.at(2, 0, 1)
	r := w.runner()
	body = ""
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	made, err := r.Digests().Send(l)
	runtime.ReadMemStats(&after)
	if err != nil || len(made) < 6 {
		t.Fatalf("%+v, %v", made, err)
	}
	used := after.TotalAlloc - before.TotalAlloc
	if t.Logf("%d KiB were allocated for %d digests, in all", used>>10, len(made)); used > 20<<20 {
		t.Error("that is too much")
	}
}

// TestDigestRequireTLS: a digest goes the way that one of its posts asked for.
func TestDigestRequireTLS(t *testing.T) {
	w, _, l := digestWorld(t, nil, "b@example.com digest")
	w.at(1, 9, 0)
	w.inbound(queue.Head{RequireTLS: true}, "alice@example.com", "From: alice@example.com\r\nSubject: post 1\r\n\r\n", dev)
	w.deliver()
	w.at(9, 9, 0)
	for _, want := range []bool{true, false} {
		made, err := w.runner().Digests().Send(l)
		if err != nil || len(made) != 1 {
			t.Fatalf("%+v, %v", made, err)
		}
		m, err := w.site.Spool().Open(queue.Outbound, made[0].ID)
		if err != nil || m.RequireTLS != want {
			t.Fatalf("REQUIRETLS is %v, %v", m, err)
		}
		m.Close()
		w.say(2, 2)
	}
}

// TestDigestLate: a post that could not be kept for a digest at first, and is tried again
// only after a digest with a later post, is in the next one.
func TestDigestLate(t *testing.T) {
	w, f, l := digestWorld(t, nil, "b@example.com digest")
	w.at(1, 9, 0)
	for n := 1; n <= 2; n++ {
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nMessage-ID: <%d@x>\r\nSubject: post %d\r\n\r\n%d\r\n", n, n, n), dev)
	}
	failed := false
	r := w.runner()
	r.Spool.Disk = &disk.Disk{Fault: serial(func(call, path string) error {
		if !failed && call == "write" && strings.HasSuffix(path, "/digest/.state.new") {
			failed = true
			return unix.EMFILE
		}
		return nil
	})}
	r.Run(context.Background())
	if !failed {
		t.Fatal("nothing has failed")
	}
	if _, err := w.runner().Digests().Send(l); err != nil {
		t.Fatal(err)
	}
	w.at(3, 0, 1)
	w.deliver()
	w.at(4, 0, 1)
	w.deliver()
	digests, _ := issues(t, f, "b@example.com")
	got := strings.Split(subjectsOf(digests), ", ")
	slices.Sort(got)
	if !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("the digests have %q", got)
	}
}

// TestDigestReady: a digest whose making is not safe on disk is not sent.
func TestDigestReady(t *testing.T) {
	w, f, l := digestWorld(t, nil, "b@example.com digest")
	w.at(1, 9, 0)
	w.say(1, 1)
	r := w.runner()
	r.Spool.Disk = &disk.Disk{Fault: serial(func(call, path string) error {
		if call == "rename" && strings.HasSuffix(path, "/digest/state") {
			if making(l) {
				return errors.New("injected")
			}
		}
		return nil
	})}
	if made, err := r.Digests().Send(l); err == nil || len(made) > 0 {
		t.Fatalf("%+v, %v", made, err)
	}
	w.want(queue.Outbound, "T<b@example.com>")
	w.deliver() // it is not midnight
	w.want(queue.Outbound, "T<b@example.com>")
	if digests, _ := issues(t, f, "b@example.com"); len(digests) > 0 {
		t.Error("it was sent")
	}
	w.say(2, 2) // is none of it, however late it is finished
	w.at(2, 0, 1)
	w.deliver()
	digests, _ := issues(t, f, "b@example.com")
	if got := subjectsOf(digests); got != "1, 2" {
		t.Errorf("the digests are %q", got)
	}
	w.wantEmpty()

	// The list is taken away before its last digest has left.
	w.say(3, 3)
	if _, err := w.runner().Digests().Send(l); err != nil {
		t.Fatal(err)
	}
	w.say(4, 4)
	if err := edit.Remove(l); err != nil {
		t.Fatal(err)
	}
	w.at(3, 0, 1)
	w.deliver()
	digests, _ = issues(t, f, "b@example.com")
	if got := subjectsOf(digests); got != "1, 2, 3" {
		t.Errorf("the digests are %q", got)
	}
	w.wantEmpty()
}

// TestDigestTrouble: a list whose digest cannot be made hinders no other, and is
// looked at again.
func TestDigestTrouble(t *testing.T) {
	w, f, l := digestWorld(t, nil, "b@example.com digest")
	w.list("news", "c@example.com digest")
	w.at(1, 9, 0)
	w.say(1, 1)
	w.message("alice@example.com", "From: alice@example.com\r\nSubject: post 1\r\n\r\n", "news@lists.example.org")
	w.deliver()
	state := filepath.Join(l.Dir, "digest", "state")
	good, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, []byte("{nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.at(2, 0, 1)
	w.deliver()
	if !strings.Contains(w.log.String(), "/dev/digest/state: invalid character") || !strings.Contains(w.log.String(), "remove it, and digests begin anew") {
		t.Errorf("the log does not say so:\n%s", &w.log)
	}
	if digests, _ := issues(t, f, "c@example.com"); len(digests) != 1 {
		t.Errorf("the other list has sent %d", len(digests))
	}
	if err := os.WriteFile(state, good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.at(2, 0, 2)
	w.deliver()
	if digests, _ := issues(t, f, "b@example.com"); len(digests) != 0 {
		t.Error("it was looked at at once")
	}
	w.at(2, 0, 17)
	w.deliver()
	if digests, _ := issues(t, f, "b@example.com"); len(digests) != 1 {
		t.Errorf("mended, and %d were sent", len(digests))
	}
	w.wantEmpty()
}

// TestDigestAtOnce: eight processes at midnight send it once, while posts come in.
func TestDigestAtOnce(t *testing.T) {
	w, f, _ := digestWorld(t, []string{"digest=5"}, "b@example.com digest")
	w.at(1, 9, 0)
	for n := 1; n <= 40; n++ {
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nMessage-ID: <%d@x>\r\nSubject: post %d\r\n\r\n", n, n), dev)
	}
	var wg sync.WaitGroup
	for range 8 {
		log, _ := maillog.Open("none", "info", "test")
		r := &Runner{Site: w.site, Spool: w.site.Spool(), Log: log, Now: w.now}
		wg.Go(func() {
			if err := r.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.at(40, 0, 1)
	w.deliver()
	digests, _ := issues(t, f, "b@example.com")
	seen := make(map[string]int)
	for word := range strings.FieldsSeq(strings.ReplaceAll(subjectsOf(digests), ",", "")) {
		seen[word]++
	}
	for n := 1; n <= 40; n++ {
		if seen[strconv.Itoa(n)] != 1 {
			t.Errorf("post %d was sent %d times", n, seen[strconv.Itoa(n)])
		}
	}
	w.wantEmpty()
}

// The site of the fault loop for digests: one list with an archive, one without,
// with so many posts.
var digestLists = []string{"dev", "news"}

func digestSite(t *testing.T, dir string) *site.Site {
	t.Helper()
	site, err := site.Load(sitetest.Write(t, dir, fmt.Sprintf("[relay]\naddress = %q", "maildir:"+dir+"/out")))
	if err != nil {
		t.Fatal(err)
	}
	site.Ledger = files.On
	spool := site.Spool()
	if err := spool.Init(); err != nil {
		t.Fatal(err)
	}
	for _, name := range digestLists {
		l, err := edit.Create(lists.Of(site), smtp.Path{Local: name, Domain: "lists.example.org"}, nil, []string{"post=anyone", "archive=" + strconv.FormatBool(name == "dev")})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.Dir+"/members", []byte("each-"+name+"@example.com\nin-"+name+"@example.com digest\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			w, err := spool.Create(queue.Head{From: smtp.Path{Local: "poster", Domain: "example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			w.Rcpt(smtp.Rcpt{Path: l.Addr})
			fmt.Fprintf(w, "From: a@example.com\r\nMessage-ID: <%d@x>\r\nSubject: post %d\r\n\r\nbody\r\n", n, n)
			if err := w.Commit(queue.Inbound); err != nil {
				t.Fatal(err)
			}
		}
	}
	return site
}

// twoDays runs deliver before midnight, and after it, with the queue on this disk. One
// message goes out at a time: of several a kill at any call may hide what one of them
// reached.
func twoDays(site *site.Site, d *disk.Disk) error {
	var all error
	for _, days := range []int{0, 1} {
		spool := site.Spool()
		spool.Disk = d
		log, _ := maillog.Open("none", "info", "test")
		now := time.Now().AddDate(0, 0, days)
		r := &Runner{Site: site, Spool: spool, Log: log, atOnce: alone, Now: func() time.Time { return now }}
		all = errors.Join(all, r.Run(context.Background()))
	}
	return all
}

// checkDigests holds the Maildirs: each member has each post once, one by one or
// in digests.
func checkDigests(t *testing.T, site *site.Site, dir, what string, mayHide bool) {
	t.Helper()
	for _, name := range digestLists {
		singles, _ := filepath.Glob(filepath.Join(dir, "out", "each-"+name+"@example.com", "new", "*"))
		if len(singles) != 2 && !(mayHide && len(singles) == 3) {
			t.Errorf("%s: the member of %s has %d posts", what, name, len(singles))
		}
		files, _ := filepath.Glob(filepath.Join(dir, "out", "in-"+name+"@example.com", "new", "*"))
		count := make(map[string]int)
		ids := make(map[string]bool)
		for _, file := range files {
			text, _ := os.ReadFile(file)
			d, ok := readIssue(t, strings.ReplaceAll(string(text), "\n", "\r\n"))
			if !ok {
				t.Errorf("%s: the digest member of %s has\n%s", what, name, text)
				continue
			}
			if id := d.header.Get("Message-ID"); mayHide && ids[id] {
				continue
			} else {
				ids[id] = true
			}
			for word := range strings.FieldsSeq(subjectsOf([]issue{d})) {
				count[word]++
			}
		}
		if len(count) != 2 || count["1"] != 1 || count["2"] != 1 {
			t.Errorf("%s: in the digests of %s are %v", what, name, count)
		}
		l, err := lists.Of(site).Open(smtp.Path{Local: name, Domain: "lists.example.org"})
		if err != nil {
			t.Fatal(err)
		}
		left, _ := filepath.Glob(filepath.Join(l.Dir, "digest", "posts", "???", "*"))
		if len(left) > 0 {
			t.Errorf("%s: %s keeps %q", what, name, left)
		}
	}
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		if list, err := site.Spool().List(box); err != nil || len(list) > 0 {
			t.Errorf("%s: %s still has %d, %v", what, box, len(list), err)
		}
	}
	if left, err := ledger.Digests(site.QueueDir).Due(time.Now().AddDate(1, 0, 0), 10); err != nil || len(left) > 0 {
		t.Errorf("%s: reminders %v, %v", what, left, err)
	}
}

// later lets everything be done that a fault has put off.
func later(site *site.Site) error {
	if err := makeDue(site); err != nil {
		return err
	}
	log, _ := maillog.Open("none", "info", "test")
	for _, days := range []int{0, 2, 3} {
		now := time.Now().AddDate(0, 0, days)
		r := &Runner{Site: site, Spool: site.Spool(), Log: log, Now: func() time.Time { return now }}
		if err := r.Run(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// TestFaultDigest fails every system call in turn, from the post to the digest.
func TestFaultDigest(t *testing.T) {
	t.Parallel()
	disktest.Each(t, 100, func(f *disktest.Fault) {
		dir := t.TempDir()
		site := digestSite(t, dir)
		if err := twoDays(site, f.Disk()); err != nil && !f.Hit() {
			t.Errorf("without a fault: %v", err)
		}
		if err := later(site); err != nil {
			t.Errorf("%s: again: %v", f, err)
		}
		checkDigests(t, site, dir, f.String(), hidden(f.Call, f.Path))
	})
}

// TestKillDigest kills a process before every system call, and lets others finish.
func TestKillDigest(t *testing.T) {
	t.Parallel()
	disktest.Kill(t, 100, func(run func(string) disktest.Death) {
		dir := t.TempDir()
		site := digestSite(t, dir)
		k := run(task("digest", site, ""))
		if k.Call == "" && k.Err != nil {
			t.Errorf("%v: %s", k.Err, k.Said)
		}
		if err := later(site); err != nil {
			t.Errorf("%s: again: %v", k, err)
		}
		checkDigests(t, site, dir, k.String(), hidden(k.Call, k.Path))
	})
}

// TestDigestOrderOnDisk holds what no kill can show: that a failure of the power
// finds each step on disk before the next one builds on it. A digest is planned
// before it is written, written before it is made, and made before it is sent.
func TestDigestOrderOnDisk(t *testing.T) {
	dir := t.TempDir()
	site := digestSite(t, dir)
	dirty := make(map[string]bool) // directories with names, and files with bytes, that are not synced
	var steps []string
	err := twoDays(site, &disk.Disk{Fault: serial(func(call, path string) error {
		what := call + " " + strings.TrimPrefix(path, dir)
		in := filepath.Dir(path)
		switch call {
		case "fsync", "fdatasync":
			delete(dirty, path)
			return nil
		case "write", "pwrite", "ftruncate":
			dirty[path] = true
		case "rename":
			for name := range dirty { // the message for the others is being written meanwhile
				if filepath.Base(in) != "cur" && (filepath.Dir(name) != site.QueueDir+"/tmp" || filepath.Base(in) == "new") {
					t.Errorf("%s: not synced: %v", what, dirty)
				}
			}
			if filepath.Base(in) != "cur" { // either place will do
				dirty[in] = true
			}
		}
		switch {
		case strings.HasSuffix(path, "/dev/digest/state"):
			steps = append(steps, "state")
		case call == "rename" && strings.Contains(path, "/outbound/new/digest-") && strings.Contains(what, "digest-1-"):
			l, _ := lists.Of(site).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
			if making(l) {
				steps = append(steps, "written")
			}
		case call == "pwrite" && strings.Contains(path, "/outbound/cur/digest-"):
			for name := range dirty {
				if name != path {
					t.Errorf("%s: it is sent, and not synced are %v", what, dirty)
				}
			}
		}
		return nil
	})})
	if want := []string{"state", "state", "written", "state"}; err != nil || !slices.Equal(steps, want) {
		t.Errorf("%v: %q, want %q", err, steps, want)
	}
	if len(dirty) > 0 {
		t.Errorf("not synced in the end: %v", dirty)
	}
}

// TestSubjectsOfTheWorld: subjects and names in any character set stand in letters, in
// digests and in the index as their authors wrote them.
func TestSubjectsOfTheWorld(t *testing.T) {
	w, f, l := digestWorld(t, nil, "dig@example.net digest", "alice@example.com")
	for _, subject := range []string{
		"=?koi8-r?B?8NLJ18XU?=", "=?gbk?B?xOO6ww==?=", "=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "=?big5?Q?=A7A=A6n?=", "=?euc-kr?B?vsiz5w==?=",
		"=?windows-1255?B?+ezl7Q==?=", "=?x-klingon?Q?Gr=FC=DFe?=",
	} {
		w.message("alice@example.com", "From: =?koi8-r?B?4czJ08E=?= <alice@example.com>\r\nSubject: "+subject+"\r\nMessage-ID: <"+subject[2:6]+"@x>\r\n\r\nhi\r\n", "dev@lists.example.org")
	}
	w.deliver()
	if _, err := w.runner().Digests().Send(l); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	got, _ := issues(t, f, "dig@example.net")
	if len(got) != 1 {
		t.Fatalf("%d issues", len(got))
	}
	n := 0
	for e, err := range l.Posts().Entries(1, 7) {
		if n++; err != nil || !strings.HasPrefix(e.From, "Алиса <") || !strings.Contains(got[0].text, e.Subject) {
			t.Errorf("%+v, %v", e, err)
		}
	}
	for _, want := range []string{"1. Привет\n   Алиса <alice@example.com>", "2. 你好", "3. こん", "4. 你好", "5. 안녕", "6. שלום", "7. Grüße"} {
		if text := strings.ReplaceAll(strings.ReplaceAll(got[0].text, "\r\n", "\n"), "\n    ", "\n"); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if n != 7 {
		t.Errorf("%d entries", n)
	}
}

// making reports whether a digest of the list was begun, and is not made.
func making(l *lists.List) bool {
	text, _ := os.ReadFile(filepath.Join(l.Dir, "digest", "state"))
	var state struct{ Upto int }
	return json.Unmarshal(text, &state) == nil && state.Upto > 0
}
