package lists

import (
	"sort"
	"strconv"
	"time"
)

// A Schedule says when a list sends a digest: off, daily, weekly, or after a number of
// posts.
type Schedule string

const (
	DigestOff    Schedule = "off"
	DigestDaily  Schedule = "daily"
	DigestWeekly Schedule = "weekly"
)

// maxSchedule is the largest number of posts in a schedule: nobody reads more at one
// go.
const maxSchedule = 1000

// maxScheduleDays is how many days posts wait for their number to be reached. When a
// list falls asleep, its digests should still have the last posts.
const maxScheduleDays = 30

// UnmarshalText parses a Schedule; a number may be written without quotes.
func (p *Schedule) UnmarshalText(text []byte) error {
	*p = Schedule(text)
	return nil
}

// posts returns the number after which a digest is sent; 0 if the time decides.
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

// Due returns when the waiting posts go out. posts is how many there are, and since is
// when the first arrived. A daily digest is due when the next day begins by this host's
// clock, so that it has the posts of a day; a weekly one when the next Monday begins;
// any other when there are enough posts, and at the latest after a month. A list that
// no longer sends digests sends what still waits.
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

// NextDay returns the first instant of the day after t.
func NextDay(t time.Time, zone *time.Location) time.Time { return daysAfter(t, 1, zone) }

// daysAfter returns the first instant of the day that comes days days after that of
// since. That need not be midnight: if clocks go forward at midnight the day begins at
// one o'clock, and if they go back to midnight there are two of them.
func daysAfter(since time.Time, days int, zone *time.Location) time.Time {
	y, m, d := since.In(zone).Date()
	day := dayNumber(time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC))
	since = since.Truncate(time.Second) // clocks change at whole seconds
	at := func(seconds int) time.Time { return since.Add(time.Duration(seconds) * time.Second).In(zone) }
	within := (days + 2) * 24 * 60 * 60
	return at(sort.Search(within, func(seconds int) bool { return dayNumber(at(seconds)) >= day }))
}

// dayNumber returns the calendar's number of a day.
func dayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}
