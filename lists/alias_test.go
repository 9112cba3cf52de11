package lists

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/site"
	"superlist/lists/verp"
	"superlist/smtp"
)

// proofs are addresses that a list has given out, by verb.
func proofs(t *testing.T, l *List) (bounce smtp.Path, p confirmation.Proof) {
	t.Helper()
	bounce, err := l.BounceAddress(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	confirm, err := l.ProofAddress(confirmation.Unsubscribe, verp.Word(addr("alice@example.com")), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d, err := Of((&site.Site{ListsDir: filepath.Dir(filepath.Dir(l.Dir)), RecipientDelimiter: l.delimiter})).Resolve(confirm)
	if err != nil {
		t.Fatal(err)
	}
	return bounce, d.Command.Proof
}

// TestMove: a list with a new name, and then in a new domain, goes on: what it has
// given out stays good, its old addresses lead to it, and back it can go.
func TestMove(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\n", "must_be_named=true")
	bounce, proof := proofs(t, l)
	alias := addr("hackers@lists.example.org")
	if err := EditSet(l, []string{"aliases=" + alias.Address()}); err != nil {
		t.Fatal(err)
	}
	old := []smtp.Path{alias}
	for _, to := range []string{"developers@lists.example.org", "dev@new.example.net", "dev@lists.example.org", "dev@new.example.net"} {
		var err error
		before := l.Addr
		if l, err = Of(s).Open(before); err != nil {
			t.Fatal(err)
		}
		if l, err = EditMove(Of(s), l, addr(to)); err != nil {
			t.Fatalf("to %s: %v", to, err)
		}
		old = append(old, before)
		if l.Addr != addr(to) {
			t.Fatalf("it is %s", l.Addr)
		}
		if dangling := l.Dangling(); len(dangling) > 0 {
			t.Errorf("%s: dangling %v", to, dangling)
		}
		for _, p := range old {
			d, err := Of(s).Resolve(p)
			if err != nil || d.List.Addr != l.Addr || d.Purpose != Post {
				t.Errorf("at %s, %s: %+v, %v", to, p, d, err)
			}
			if !l.IsAddress(p) || !l.IsOwn(smtp.Path{Local: p.Local + "+owner", Domain: p.Domain}) {
				t.Errorf("%s does not know %s", to, p)
			}
		}
		if d, err := Of(s).Resolve(smtp.VERPAddress(bounce, addr("alice@example.com"))); err != nil || d.Purpose != Bounce || d.Member != addr("alice@example.com") {
			t.Errorf("at %s a delivery report: %+v, %v", to, d, err)
		}
		d, err := Of(s).Resolve(l.Verb("confirm-" + proof.String()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.List.CheckProof(d.Command.Proof, time.Now()); (err == nil) != (to == "dev@lists.example.org") {
			t.Errorf("at %s a proof that came to another address than it was made for: %v", to, err)
		}
		d, err = Of(s).Resolve(addr("dev+confirm-" + proof.String() + "@lists.example.org"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.List.CheckProof(d.Command.Proof, time.Now()); err != nil {
			t.Errorf("at %s a proof: %v", to, err)
		}
		if _, ok := find(t, l, "alice@example.com"); !ok {
			t.Error("its members are gone")
		}
		lists := 0
		Of(s).All(func(smtp.Path, *List, error) bool { lists++; return true })
		if lists != 1 {
			t.Errorf("%d lists", lists)
		}
	}
	if strings.Contains(strings.Join(l.Aliases, " "), l.Addr.Address()) || len(l.Aliases) != 3 {
		t.Errorf("aliases %q", l.Aliases)
	}
	// With the list its addresses go.
	if err := EditRemove(l); err != nil {
		t.Fatal(err)
	}
	for _, p := range append(old, l.Addr) {
		if _, err := Of(s).Open(p); !errors.Is(err, ReplyNoList) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if left, _ := os.ReadDir(s.ListsDir); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestOwnOwner: nobody would read what a list writes to itself.
func TestOwnOwner(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	for _, setting := range []string{"owners=dev@lists.example.org", "moderators=dev+owner@lists.example.org", "owners=olga@example.org,DEV-owner@lists.example.org"} {
		if err := EditSet(l, []string{setting}); err == nil {
			t.Error(setting + " was taken")
		}
	}
	if _, err := EditCreate(Of(s), addr("x@lists.example.org"), []smtp.Path{addr("x+owner@lists.example.org")}, nil); err == nil {
		t.Error("a list that is its own owner was made")
	}
	if err := EditSet(l, []string{"owners=dev-owner@example.net"}); err != nil {
		t.Error(err)
	}
}
