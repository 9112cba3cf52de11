package policy

import (
	"errors"
	"os"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/smtp"
)

// may is what the policy says of an author.
func may(l *lists.List, who smtp.Path) error {
	d, err := Of(l).Judge(&Posting{From: who, Header: header("From: " + who.Address())})
	if err != nil {
		return err
	}
	return d.Err()
}

func TestMayPost(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\nnick@example.com nomail\n", "moderators=mona@example.org")
	for _, test := range []struct {
		post string
		may  string // of alice, nick (nomail), mona (moderator), olga (owner), eve
		say  string
	}{
		{lists.PostAnyone, "anmoe", ""},
		{lists.PostMembers, "anmo", "only members may post to dev@lists.example.org, and eve@example.net is not a member: use the address that is subscribed"},
		{lists.PostModerators, "mo", "only moderators may post to dev@lists.example.org, and eve@example.net is not a moderator"},
		{lists.PostNobody, "", "dev@lists.example.org is closed, nobody may post to it"},
	} {
		l.Post = test.post
		for _, who := range []string{"Alice@Example.com", "nick@example.com", "mona@EXAMPLE.org", "olga@example.org", "eve@example.net"} {
			err := may(l, addr(who))
			want := strings.Contains(test.may, strings.ToLower(who[:1]))
			if (err == nil) != want {
				t.Errorf("post=%s: %s: %v", test.post, who, err)
			}
			var r smtp.Reply
			if err != nil && (!errors.As(err, &r) || r.Code != 550 || r.Enhanced != "5.7.1" ||
				!strings.HasSuffix(r.Text, "; the owners are at dev+owner@lists.example.org")) {
				t.Errorf("post=%s: %s: %v", test.post, who, err)
			}
			if err != nil && who == "eve@example.net" && !strings.Contains(err.Error(), test.say) {
				t.Errorf("post=%s: %v", test.post, err)
			}
		}
	}
}

// Members that cannot be read are our trouble and not the sender's.
func TestMayPostUnreadable(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	os.Remove(l.MembersFile())
	if err := may(l, addr("a@example.com")); smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("without a file: %v", err)
	}
	l.Dir += "/members" // so that the file is below a file
	if err := may(l, addr("eve@example.net")); smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("%v", err)
	}
}

func TestFits(t *testing.T) {
	l := testList(t, testSite(t, ""), "", "max_message_size=2KiB")
	for size, want := range map[int64]bool{0: true, 2047: true, 2048: true, 2049: false, 1 << 40: false} {
		err := Of(l).fits(size)
		if (err == nil) != want {
			t.Errorf("%d: %v", size, err)
		}
	}
	if err := Of(l).fits(5000); err == nil || err.Error() != "552 5.3.4 the message has 5000 bytes, and dev@lists.example.org accepts at most 2KiB" {
		t.Errorf("%v", err)
	}
}
