package author

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
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

// TestManyKeys: not more than maxKeys are asked for at a time, and what is one too
// many waits for another run.
func TestManyKeys(t *testing.T) {
	s := slowResolver{asked: make(chan string, maxKeys+1), goOn: make(chan bool)}
	k := NewKeyring(s, 0)
	k.Within(t.Context())
	for i := range maxKeys {
		if _, err := k.TXT(t.Context(), fmt.Sprintf("s._domainkey.evil%d.example.", i)); err != ErrAwaited {
			t.Fatal(err)
		}
	}
	if _, err := k.TXT(t.Context(), "s._domainkey.evil.example."); err != replyKeys {
		t.Error(err)
	}
	names := []string{"s._domainkey.evil0.example."}
	if k.Has(names) || !k.Busy() || !k.Has([]string{"another"}) {
		t.Error("a key is here that nobody has answered for")
	}
	close(s.goOn)
	for k.Busy() {
		<-k.Woken()
	}
	if !k.Has(names) {
		t.Error("a key does not come")
	}
	if _, err := k.TXT(t.Context(), "x._domainkey.mail.evil0.example."); err != errLate {
		t.Errorf("the same organisation is asked again: %v", err)
	}
	if _, err := k.TXT(t.Context(), "s._domainkey.good.example."); err != ErrAwaited {
		t.Error(err)
	}
}
