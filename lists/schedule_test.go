package lists

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestSchedule: what list.toml may say, with the numbers on both sides of the limits.
func TestSchedule(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	for text, ok := range map[string]bool{
		`"off"`: true, `"daily"`: true, `"weekly"`: true, `"20"`: true, "20": true, "1": true, fmt.Sprint(maxSchedule): true,
		"0": false, fmt.Sprint(maxSchedule + 1): false, "-1": false, `"hourly"`: false, `""`: false, `"20 posts"`: false,
	} {
		_, err := l.WithConfig("owners = [\"o@example.org\"]\n\ndigest = " + text + "\n")
		want := l.ConfigFile() + ":3: digest: must be off, daily, weekly, or a number of posts from 1 to 1000"
		if (err == nil) != ok || err != nil && err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDue: the end of the day, of the week, or when there are enough, where the
// host is.
func TestDue(t *testing.T) {
	for _, test := range []struct {
		pace, zone, since string
		posts             int
		want              string
	}{
		{"daily", "UTC", "2026-11-24 00:00", 1, "2026-11-25 00:00"},
		{"daily", "UTC", "2026-11-24 23:59", 1, "2026-11-25 00:00"},
		{"daily", "UTC", "2026-12-31 10:00", 999, "2027-01-01 00:00"},
		{"daily", "Asia/Kathmandu", "2026-11-24 23:59", 1, "2026-11-25 00:00"},
		{"daily", "Europe/Berlin", "2026-10-25 02:30", 1, "2026-10-26 00:00"},  // an hour twice
		{"weekly", "Europe/Berlin", "2026-11-24 10:00", 1, "2026-11-30 00:00"}, // a Tuesday
		{"weekly", "Europe/Berlin", "2026-11-29 23:59", 1, "2026-11-30 00:00"}, // a Sunday
		{"weekly", "Europe/Berlin", "2026-11-30 00:00", 1, "2026-12-07 00:00"}, // a Monday
		{"daily", "America/Havana", "2026-03-07 23:30", 1, "2026-03-08 01:00"}, // a day without midnight
		{"weekly", "America/Santiago", "2026-09-05 23:30", 1, "2026-09-07 00:00"},
		{"daily", "America/Santiago", "2026-09-05 23:30", 1, "2026-09-06 01:00"},
		{"20", "America/Santiago", "2026-08-07 23:30", 1, "2026-09-06 01:00"},
		{"20", "UTC", "2026-11-24 10:00", 19, "2026-12-24 00:00"},
		{"20", "UTC", "2026-11-24 10:00", 20, "2026-11-24 10:00"},
		{"1", "UTC", "2026-11-24 10:00", 1, "2026-11-24 10:00"},
		{"off", "UTC", "2026-11-24 10:00", 1, "2026-11-24 10:00"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		const layout = "2006-01-02 15:04"
		since, err := time.ParseInLocation(layout, test.since, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Schedule(test.pace).Due(since.UTC(), test.posts, zone).In(zone).Format(layout); got != test.want {
			t.Errorf("%s, %s in %s: %s, want %s", test.pace, test.since, test.zone, got, test.want)
		}
	}
}

// TestDueEverywhere: at each change of the clock of each zone, a digest is due when
// the next day, or the next Monday, begins: later than its posts, and not a
// second later than that.
func TestDueEverywhere(t *testing.T) {
	names, err := os.ReadFile("testdata/zones")
	if err != nil {
		t.Fatal(err)
	}
	begin, end := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC)
	tried := make(map[string]bool) // a zone often has several names
	changes := 0
	for name := range strings.Lines(string(names)) {
		zone, err := time.LoadLocation(strings.TrimSpace(name))
		if err != nil {
			t.Fatal(err)
		}
		var all []time.Time
		for at := begin; at.Before(end); {
			_, next := at.In(zone).ZoneBounds()
			if next.IsZero() {
				break
			}
			if at = at.AddDate(0, 0, 1); next.After(at) { // in the last days of a leap year it is not
				all = append(all, next)
				at = next
			}
		}
		_, offset := begin.In(zone).Zone()
		if same := fmt.Sprint(offset, all); tried[same] {
			continue
		} else {
			tried[same] = true
		}
		for _, change := range all {
			changes++
			for _, before := range []time.Duration{25 * time.Hour, 90 * time.Minute, 30 * time.Minute, 1, 0, -30 * time.Minute} {
				checkDue(t, change.Add(-before), zone)
			}
		}
	}
	if changes < 1000 {
		t.Errorf("only %d changes of the clock", changes)
	}
}

// checkDue holds Due for a post at since against the calendar.
func checkDue(t *testing.T, since time.Time, zone *time.Location) {
	date := func(at time.Time) string { return at.In(zone).Format(time.DateOnly) }
	y, m, d := since.In(zone).Date()
	due := DigestDaily.Due(since, 1, zone)
	tomorrow := time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	if !due.After(since) || date(due) != tomorrow || date(due.Add(-time.Nanosecond)) >= tomorrow {
		t.Errorf("%s: a post at %v is due at %v", zone, since.In(zone), due)
	}
	week := DigestWeekly.Due(since, 1, zone)
	before := week.Add(-time.Nanosecond).In(zone)
	if !week.After(since) || week.In(zone).Weekday() != time.Monday || before.Weekday() != time.Sunday || week.Sub(since) > 7*24*time.Hour+3*time.Hour {
		t.Errorf("%s: a post at %v is due in the week at %v", zone, since.In(zone), week)
	}
}
