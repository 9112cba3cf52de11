package deliver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/moderation"
	"superlist/queue"
)

// TestSummary: with held_notice = "daily" moderators hear once a day of all that is
// held, can decide on each, and hear the next day of what is left.
func TestSummary(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org", "held_notice=daily")
	eve, bob, mona := person("eve@example.net"), person("bob@example.net"), person("mona@example.org")
	w.message(eve.addr, strangersPost, "dev@lists.example.org")
	w.message(eve.addr, strings.Replace(strangersPost, "Subject: Hello", "Subject: {confirm} again", 1), "dev@lists.example.org")
	w.deliver()
	if got := append(mona.letters(), bob.letters()...); len(got) != 0 {
		t.Errorf("at once they got %+v", got)
	}

	w.later += 25 * time.Hour
	w.deliver()
	letter := mona.letter("2 to decide (dev@lists.example.org)")
	text := readAll(t, letter)
	for _, want := range []string{"    1. Hello\r\n", "    2. {confirm} again\r\n", "From eve@example.net: eve@example.net is not a member; until ", strangersPost, "post-2.eml"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	w.deliver()
	if got := mona.letters(); len(got) != 0 {
		t.Errorf("the same day mona got %+v", got)
	}

	mona.says(addressOf(t, text, confirmation.Publish), "yes")
	if got := bob.letters(); len(got) != 1 || !strings.HasSuffix(got[0].Message, strangersPost) {
		t.Errorf("bob got %+v", got)
	}
	w.later += 25 * time.Hour
	w.deliver()
	if text := readAll(t, mona.letter("1 to decide (dev@lists.example.org)")); !strings.Contains(text, "    1. {confirm} again\r\n") {
		t.Errorf("the next day:\n%s", text)
	}

	if err := edit.Set(l, []string{"held_notice=each"}); err != nil {
		t.Fatal(err)
	}
	w.later += 25 * time.Hour
	w.deliver()
	mona.letter("1 to decide (dev@lists.example.org)") // what was promised comes, and is the last
	w.later += 25 * time.Hour
	w.deliver()
	if got := mona.letters(); len(got) != 0 {
		t.Errorf("after the last mona got %+v", got)
	}
	if entries, _ := os.ReadDir(w.site.QueueDir + "/summaries"); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

// TestSummaryAgain: a crash after the summary and before its reminder is gone, a
// second process, a list that is gone and what is half written change nothing.
func TestSummaryAgain(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org", "held_notice=daily")
	mona := person("mona@example.org")
	w.message("eve@example.net", strangersPost, "dev@lists.example.org")
	w.deliver()
	dir := w.site.QueueDir + "/summaries"
	due, err := filepath.Glob(dir + "/*/*")
	if err != nil || len(due) != 1 {
		t.Fatalf("%v, %v", due, err)
	}
	reminder := due[0]
	content, _ := os.ReadFile(reminder)
	os.WriteFile(dir+"/.new-1", []byte("x"), 0o600)
	other := filepath.Dir(reminder) + "/" + ledger.Hash("another")
	os.WriteFile(other, []byte("gone@lists.example.org\n"), 0o600)

	w.later += 25 * time.Hour
	r := w.runner()
	if err := r.Moderation().Summaries(); err != nil {
		t.Fatal(err)
	}
	os.Mkdir(filepath.Dir(reminder), 0o700)
	os.WriteFile(reminder, content, 0o600) // as after a crash
	if err := w.runner().Moderation().Summaries(); err != nil {
		t.Fatal(err)
	}
	if n := len(w.spool(queue.Outbound)); n != 1 {
		t.Errorf("%d letters in the spool", n)
	}
	for _, path := range []string{reminder, other} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	w.deliver()
	mona.letter("1 to decide (dev@lists.example.org)")
	if err := edit.Remove(l); err != nil {
		t.Fatal(err)
	}
	w.later += 50 * time.Hour
	old := time.Now()
	os.Chtimes(dir+"/.new-1", old, old)
	w.deliver()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

// TestSummaryTrouble: where the reminder cannot be kept the post waits in the queue,
// and comes again.
func TestSummaryTrouble(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org", "held_notice=daily")
	if err := os.WriteFile(w.site.QueueDir+"/summaries", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.message("eve@example.net", strangersPost, "dev@lists.example.org")
	w.runner().Run(t.Context())
	if n := len(w.spool(queue.Inbound)); n != 1 {
		t.Errorf("%d messages are in the spool", n)
	}
	os.Remove(w.site.QueueDir + "/summaries")
	w.later += 2 * time.Hour
	w.deliver()
	w.later += 25 * time.Hour
	w.deliver()
	person("mona@example.org").letter("1 to decide (dev@lists.example.org)")
	if got := w.held(l); len(got) != 1 {
		t.Errorf("held: %q", got)
	}
}

// TestSummaryLarge: so many posts are attached, and the others are in it all the
// same.
func TestSummaryLarge(t *testing.T) {
	for _, test := range []struct{ posts, size, attached int }{
		{moderation.MaxParts, 10, moderation.MaxParts}, {moderation.MaxParts + 1, 10, moderation.MaxParts},
		{2, moderation.MaxSize/2 - 1000, 2}, {2, moderation.MaxSize/2 + 1000, 1},
	} {
		w, _, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org", "held_notice=daily", "max_message_size=10MiB")
		for range test.posts {
			w.message("eve@example.net", strangersPost+strings.Repeat(strings.Repeat("x", 98)+"\r\n", test.size/100), "dev@lists.example.org")
		}
		w.deliver()
		w.later += 25 * time.Hour
		w.deliver()
		letters := person("mona@example.org").letters()
		if len(letters) != 1 {
			t.Fatalf("mona got %d letters", len(letters))
		}
		if n := strings.Count(letters[0].Message, "Content-Type: message/rfc822"); n != test.attached {
			t.Errorf("%d posts of %d bytes: %d are attached, want %d", test.posts, test.size, n, test.attached)
		}
		if n := strings.Count(letters[0].Message, "To reject it;"); n != test.posts {
			t.Errorf("%d are in it, want %d", n, test.posts)
		}
	}
}

// TestQuotedSummary: whoever sends a post back in a program that quotes without marks
// sends its author no address that decides, neither of this post nor of another.
func TestQuotedSummary(t *testing.T) {
	for name, answer := range map[string]string{
		"Outlook": "Content-Type: text/plain; charset=utf-8\r\n\r\nNot here.\r\n\r\n________________________________\r\n" +
			"From: dev@lists.example.org <dev+owner@lists.example.org>\r\nSent: Monday\r\n\r\nLETTER",
		"no line that says so": "\r\nNot here.\r\n\r\nLETTER",
		"HTML":                 "Content-Type: text/html\r\n\r\n<p>Not here.</p><div>LETTER</div>",
		"HTML that says so":    "Content-Type: text/html\r\n\r\n<p>Not here.</p><blockquote>LETTER</blockquote>",
		"nothing of hers":      "\r\n-----Original Message-----\r\nLETTER",
	} {
		t.Run(name, func(t *testing.T) {
			w, _, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org", "held_notice=daily")
			eve, mona := person("eve@example.net"), person("mona@example.org")
			w.message(eve.addr, strangersPost, "dev@lists.example.org")
			w.message(eve.addr, strangersPost, "dev@lists.example.org")
			w.deliver()
			w.later += 25 * time.Hour
			w.deliver()
			text := readAll(t, mona.letter("2 to decide (dev@lists.example.org)"))
			text, _, _ = strings.Cut(text, "Content-Type: message/rfc822")
			if strings.Contains(answer, "html") {
				text = strings.ReplaceAll(text, "\r\n", "<br>\r\n")
			}
			back := addressOf(t, text, confirmation.SendBack)
			eve.letters()
			w.message(mona.addr, "From: mona@example.org\r\nTo: <"+back+">\r\nSubject: Re\r\nMIME-Version: 1.0\r\n"+strings.ReplaceAll(answer, "LETTER", text)+"\r\n", back)
			w.deliver()
			got := readAll(t, eve.letter("Your post to dev@lists.example.org was rejected"))
			if strings.Contains(got, "confirm-") || strings.Contains(got, "Not here.") != strings.Contains(answer, "Not here.") {
				t.Errorf("eve reads\n%s", got)
			}
			if strings.Contains(got, "They write") != strings.Contains(answer, "Not here.") {
				t.Errorf("eve reads\n%s", got)
			}
		})
	}
}
