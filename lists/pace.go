package lists

import (
	"strconv"
	"time"
)

// A Pace says when a list sends a digest: off, daily, weekly, or after so many
// posts.
type Pace string

const (
	DigestOff    Pace = "off"
	DigestDaily  Pace = "daily"
	DigestWeekly Pace = "weekly"
)

// maxPace is the largest number of posts that a list waits for: more are not read
// in one sitting.
const maxPace = 1000

// maxPaceDays is how long posts wait for their number to be full: whoever gets
// digests of a list that falls asleep is to have the last posts too.
const maxPaceDays = 30

// UnmarshalText reads a Pace; a number may stand without quotes.
func (p *Pace) UnmarshalText(text []byte) error {
	*p = Pace(text)
	return nil
}

// posts is the number after which a digest is sent; 0 where it is time that
// counts.
func (p Pace) posts() int {
	n, err := strconv.Atoi(string(p))
	if err != nil || n < 1 || n > maxPace {
		return 0
	}
	return n
}

func (p Pace) valid() bool {
	return p == DigestOff || p == DigestDaily || p == DigestWeekly || p.posts() > 0
}

// Due is when the posts that wait go out, of which there are so many and the first
// came at since: at the next midnight of this host, so that a digest has the
// posts of a day; at the one before a Monday; or when there are enough of them,
// and at the latest after a month. A list that has stopped sending digests sends
// what still waits.
func (p Pace) Due(since time.Time, posts int, zone *time.Location) time.Time {
	y, m, d := since.In(zone).Date()
	midnight := func(days int) time.Time { return time.Date(y, m, d+days, 0, 0, 0, 0, zone) }
	switch {
	case p == DigestDaily:
		return midnight(1)
	case p == DigestWeekly:
		monday := int(time.Monday-since.In(zone).Weekday()+7) % 7
		if monday == 0 {
			monday = 7
		}
		return midnight(monday)
	case posts < p.posts():
		return midnight(maxPaceDays)
	}
	return since
}
