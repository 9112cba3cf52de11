package lists

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestPace: what list.toml may say, with the numbers on both sides of the limits.
func TestPace(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	for text, ok := range map[string]bool{
		`"off"`: true, `"daily"`: true, `"weekly"`: true, `"20"`: true, "20": true, "1": true, fmt.Sprint(maxPace): true,
		"0": false, fmt.Sprint(maxPace + 1): false, "-1": false, `"hourly"`: false, `""`: false, `"20 posts"`: false,
	} {
		_, err := l.accept("owners = [\"o@example.org\"]\n\ndigest = " + text + "\n")
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
		if got := Pace(test.pace).Due(since.UTC(), test.posts, zone).In(zone).Format(layout); got != test.want {
			t.Errorf("%s, %s in %s: %s, want %s", test.pace, test.since, test.zone, got, test.want)
		}
	}
}
