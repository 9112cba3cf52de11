package policy

import (
	"testing"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/smtp"
)

// nobody is a list of which nothing is kept anywhere.
type nobody struct{ smtp.Path }

func (nobody) Find(smtp.Path) (m members.Member, ok bool, err error)        { return }
func (nobody) Together([]smtp.Path) error                                   { return nil }
func (nobody) Behind(members.Member) (m members.Member, ok bool, err error) { return }
func (nobody) Knows(smtp.Path) (bool, error)                                { return false, nil }
func (nobody) Leads(smtp.Path) bool                                         { return false }
func (nobody) OwnerPaths() []smtp.Path                                      { return nil }
func (nobody) RulesText() (string, error)                                   { return "reject Subject: *offer*\n", nil }
func (nobody) RulesFile() string                                            { return "rules" }
func (n nobody) Verb(verb string) smtp.Path                                 { n.Local += "+" + verb; return n.Path }
func (nobody) VerbOf(smtp.Path) string                                      { return "" }
func (nobody) IsOwn(smtp.Path) bool                                         { return false }
func (nobody) Named([]smtp.Path) bool                                       { return true }

// TestWithoutFiles: a post is judged, and refused, without a list that is a directory.
func TestWithoutFiles(t *testing.T) {
	config := lists.Defaults()
	n := nobody{addr("dev@lists.example.org")}
	p := &Policy{Config: &config, Addr: n.Path, Names: n, Finder: n, People: n, rules: n}
	for subject, want := range map[string]string{
		"an offer": "550 5.7.1 dev@lists.example.org does not accept such posts; the owners are at dev+owner@lists.example.org",
		"hello":    "550 5.7.1 only members may post to dev@lists.example.org, and eve@example.net is not a member: use the address that is subscribed, or subscribe first; the owners are at dev+owner@lists.example.org",
	} {
		d, err := p.Judge(&Posting{From: addr("eve@example.net"), Header: header("From: eve@example.net", "Subject: "+subject)})
		if err != nil || d.Verdict != Reject || d.Reply.Error() != want {
			t.Errorf("%s: %s, %v, %v", subject, d.Verdict, d.Reply, err)
		}
	}
	config.Post = lists.PostAnyone
	if d, err := p.Judge(&Posting{From: addr("eve@example.net"), Header: header("From: eve@example.net", "Subject: hello")}); err != nil || d.Verdict != Accept {
		t.Errorf("%s, %v", d.Verdict, err)
	}
}
