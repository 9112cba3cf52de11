package lists

import (
	"sort"
	"strconv"
	"time"
)

// A Schedule says when a list sends a digest: off, daily, weekly, or after so many
// posts.
type Schedule string

const (
	DigestOff    Schedule = "off"
	DigestDaily  Schedule = "daily"
	DigestWeekly Schedule = "weekly"
)

// maxSchedule is the largest number of posts that a list waits for: more are not read
// in one sitting.
const maxSchedule = 1000

// maxScheduleDays is how long posts wait for their number to be full: whoever gets
// digests of a list that falls asleep is to have the last posts too.
const maxScheduleDays = 30

// UnmarshalText reads a Schedule; a number may stand without quotes.
func (p *Schedule) UnmarshalText(text []byte) error {
	*p = Schedule(text)
	return nil
}

// posts is the number after which a digest is sent; 0 where it is time that
// counts.
func (p Schedule) posts() int {
	n, err := strconv.Atoi(string(p))
	if err != nil || n < 1 || n > maxSchedule {
		return 0
	}
	return n
}

func (p Schedule) valid() bool {
	return p == DigestOff || p == DigestDaily || p == DigestWeekly || p.posts() > 0
}

// Due is when the posts that wait go out, of which there are so many and the first
// came at since: when the next day begins by this host's clock, so that a digest
// has the posts of a day; when the next Monday does; or when there are enough of
// them, and at the latest after a month. A list that has stopped sending digests
// sends what still waits.
func (p Schedule) Due(since time.Time, posts int, zone *time.Location) time.Time {
	switch {
	case p == DigestDaily:
		return daysAfter(since, 1, zone)
	case p == DigestWeekly:
		monday := int(time.Monday-since.In(zone).Weekday()+7) % 7
		if monday == 0 {
			monday = 7
		}
		return daysAfter(since, monday, zone)
	case posts < p.posts():
		return daysAfter(since, maxScheduleDays, zone)
	}
	return since
}

// NextDay is the first instant of the day after that of a time.
func NextDay(t time.Time, zone *time.Location) time.Time { return daysAfter(t, 1, zone) }

// daysAfter is the first instant of the day that comes so many days after that of
// since. That need not be midnight: where clocks are put forward at midnight the
// day begins at one o'clock, and where they are put back to it there are two.
func daysAfter(since time.Time, days int, zone *time.Location) time.Time {
	y, m, d := since.In(zone).Date()
	day := dayNumber(time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC))
	since = since.Truncate(time.Second) // clocks are put forward and back at whole seconds
	at := func(seconds int) time.Time { return since.Add(time.Duration(seconds) * time.Second).In(zone) }
	within := (days + 2) * 24 * 60 * 60
	return at(sort.Search(within, func(seconds int) bool { return dayNumber(at(seconds)) >= day }))
}

// dayNumber counts days as the calendar does.
func dayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}
