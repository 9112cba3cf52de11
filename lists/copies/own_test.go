package copies

import (
	"io"
	"strings"
	"testing"
	"time"

	"superlist/lists/site"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// TestOwnDomain: what lets the list's mail pass is not lent to who only says that they are
// of the list's domain, where people can prove it.
func TestOwnDomain(t *testing.T) {
	own := strings.ReplaceAll(post, "reject.example", "lists.example.org")
	results := "Authentication-Results: mx.example.org; "
	for name, test := range map[string]struct {
		raw    string
		proved string
		none   bool // nobody can prove anything at this site
		want   Done
	}{
		"From alone":              {raw: own, want: Munged},
		"where nobody can prove":  {raw: own, none: true, want: Kept},
		"by AUTH":                 {raw: own, proved: "Alice@lists.example.org", want: Kept},
		"by AUTH, as another":     {raw: own, proved: "bob@lists.example.org", want: Munged},
		"signed":                  {raw: signed(t, own, "lists.example.org", "From:To:Subject:Date"), want: Kept},
		"signed by another":       {raw: signed(t, own, "reject.example", "From:To:Subject:Date"), want: Munged},
		"signed and changed":      {raw: signed(t, own, "lists.example.org", "From:To:Subject:Date") + "x\r\n", want: Munged},
		"the mail server says so": {raw: results + "dmarc=pass header.from=lists.example.org\r\n" + strings.Replace(own, "Mon, 30 Nov 2026 10:00:00 +0100", time.Now().Format(time.RFC1123Z), 1), want: Kept},
		"it says no":              {raw: results + "dmarc=fail header.from=lists.example.org\r\n" + own, want: Munged},
		"another server says so":  {raw: strings.Replace(results, "mx.", "evil.", 1) + "dmarc=pass header.from=lists.example.org\r\n" + own, want: Munged},
	} {
		m := Maker{Host: "lists.example.org", List: listOf(t, `footer = "The list"`), Keys: world, Signs: "lists.example.org", ServID: "mx.example.org", Proves: !test.none}
		p := Post{ID: "1.x", Content: io.NewSectionReader(strings.NewReader(test.raw), 0, int64(len(test.raw))), Arrived: time.Now()}
		if who, ok := smtp.ParseAddress(test.proved); ok {
			p.Proved = append(p.Proved, who)
		}
		if c, err := m.Make(p); err != nil || c.From.Done != test.want {
			t.Errorf("%s: %s %v, want %s", name, c.From, err, test.want)
		}
	}
}

// TestQuotedLink: who quotes their own footer does not give everybody, and the archive, the
// link by which they leave.
func TestQuotedLink(t *testing.T) {
	l := listOf(t, `personal = true`, `footer = "Leave: {unsubscribe}"`)
	now := time.Now()
	bob, _ := smtp.ParseAddress("bob@example.net")
	s := &site.Site{UnsubscribeURL: "https://lists.example.org/u"}
	link, err := weblink.Leaving(s, l, bob, now)
	if err != nil {
		t.Fatal(err)
	}
	raw := strings.Replace(post, "Hello.", "Hello.\r\n> Leave: "+link, 1)
	m := Maker{Host: "lists.example.org", List: l, Keys: world, UnsubscribeURL: weblink.URL(s, l, weblink.Leave, "")}
	c, err := m.Make(Post{ID: "1.x", Content: io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))), Arrived: now})
	if err != nil || c.Disarmed != 1 {
		t.Fatal(err)
	}
	members, archive := sent(t, c, 1)
	for _, got := range []string{members, archive} {
		_, rest, found := strings.Cut(got, "> Leave: https://lists.example.org/u/dev@lists.example.org/")
		end, _, _ := strings.Cut(rest, "\r\n")
		if _, err := weblink.Read(l, weblink.Leave, end, now); !found || err != weblink.ErrForged || strings.Contains(got, link) {
			t.Errorf("%s", got)
		}
	}
}
