package deliver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"superlist/lists/author"
	"superlist/lists/edit"
)

// A slowResolver answers nothing about evil.example until it is told to, and then
// with an error, as a resolver does whose question nobody answers.
type slowResolver struct {
	asked chan string
	goOn  chan bool
}

func (s slowResolver) TXT(ctx context.Context, name string) ([]string, error) {
	s.asked <- name
	if !strings.Contains(name, "evil") {
		return nil, nil
	}
	select {
	case <-s.goOn:
	case <-ctx.Done():
	}
	return nil, errors.New("nobody answers")
}

// TestSlowKeys: a member whose name servers do not answer delays his own posts alone,
// and once: what they would say is not asked again, and his posts are judged without.
func TestSlowKeys(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Received: make(chan delivered, manyMessages)}
	w := newWorld(t, f.Start(t), "")
	w.site.VerifyDKIM = true
	w.list("news", "alice@example.com")
	l := w.list("dev", "bob@example.net")
	if err := edit.Set(l, []string{"post=members", "unverified=hold", "allow=eve@evil.example"}); err != nil {
		t.Fatal(err)
	}
	evil := func(n int) string {
		return fmt.Sprintf("DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s=s%d; h=from:to; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"+
			"From: eve@evil.example\r\nTo: dev@lists.example.org\r\nMessage-ID: <%d@evil.example>\r\nDate: %s\r\n\r\nx\r\n", n, n, w.now().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	}
	for n := range 3 {
		w.message("eve@evil.example", evil(n), dev)
	}
	w.post("poster@example.com", "news@lists.example.org")
	s := slowResolver{asked: make(chan string, manyMessages), goOn: make(chan bool)}
	r := w.runner()
	r.keys = author.NewKeyring(s, 0)
	done := make(chan error)
	go func() { done <- r.Run(context.Background()) }()
	if d := <-f.Received; d.To != "alice@example.com" {
		t.Errorf("first of all %s got something", d.To)
	}
	if held := w.held(l); len(held) != 0 {
		t.Errorf("judged without an answer: %q", held)
	}
	close(s.goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if held := w.held(l); len(held) != 3 {
		t.Errorf("held: %q", held)
	}
	asked := len(s.asked)
	w.message("eve@evil.example", evil(4), dev)
	if err := r.Run(context.Background()); err != nil {
		t.Error(err)
	}
	if held := w.held(l); len(held) != 4 || len(s.asked) != asked {
		t.Errorf("held: %q, asked %d more", held, len(s.asked)-asked)
	}
	w.wantEmpty()
}
