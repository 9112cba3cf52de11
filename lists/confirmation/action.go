package confirmation

import "superlist/lists/members"

// An Action is what a proof allows, as one letter in its address.
type Action byte

const (
	Subscribe       Action = 's' // the address becomes a member
	SubscribeNoMail Action = 'n' // … one who gets no posts
	SubscribeDigest Action = 'g' // … one who gets many posts in one mail
	GetEach         Action = 'e' // a member gets the posts individually
	GetDigests      Action = 'c' // … many in one mail
	GetNone         Action = 'm' // … not at all
	Unsubscribe     Action = 'u' // … leaves
	Approve         Action = 'y' // an owner accepts an applicant
	Decline         Action = 'x' // … or does not

	Publish     Action = 'p' // a moderator accepts a held post
	SendBack    Action = 'r' // … sends it back to its author, with words
	Drop        Action = 'd' // … discards it
	AllowAlways Action = 'w' // … accepts it, and everything else its author writes
	BanAuthor   Action = 'b' // … discards it, and everything else its author writes
	OwnPost     Action = 'o' // the author confirms that a post is theirs
)

// Subscribing returns the action that makes an address a member who gets the posts in
// this way.
func Subscribing(d members.Delivery) Action {
	return [...]Action{Subscribe, SubscribeDigest, SubscribeNoMail}[d]
}

// Changing returns the action that gives a member the posts in this way. It makes nobody a
// member: they may have left since they were asked.
func Changing(d members.Delivery) Action { return [...]Action{GetEach, GetDigests, GetNone}[d] }

// Delivery returns how a member gets the posts after an action of Subscribing or Changing.
func (a Action) Delivery() (d members.Delivery, changing bool) {
	switch a {
	case SubscribeDigest, GetDigests:
		d = members.InDigests
	case SubscribeNoMail, GetNone:
		d = members.NoPosts
	}
	return d, a == GetEach || a == GetDigests || a == GetNone
}

// AboutRequest reports whether the proof names a request that waits, and AboutHeld whether
// it names a held post; otherwise it names an address.
func (a Action) AboutRequest() bool { return a == Approve || a == Decline }

// AboutHeld: see AboutRequest.
func (a Action) AboutHeld() bool {
	switch a {
	case Publish, SendBack, Drop, AllowAlways, BanAuthor, OwnPost:
		return true
	}
	return false
}

// AboutOthers reports whether a moderator or an owner decides with the proof about what
// somebody else wrote or wants. Such a proof is bound to the person it was sent to.
func (a Action) AboutOthers() bool { return a.AboutRequest() || a.AboutHeld() && a != OwnPost }

// Publishes reports whether the action sends a held post to the members.
func (a Action) Publishes() bool { return a == Publish || a == AllowAlways || a == OwnPost }
