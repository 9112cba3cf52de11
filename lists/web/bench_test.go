package web

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlist/lists/archive"
)

// many puts so many posts into an archive: threads of eight, some long, over years.
func many(t testing.TB, l *List, n int) {
	t.Helper()
	im, err := l.Posts.Import()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("This is a line of the text that somebody has written to a list.\r\n", 20)
	for i := im.Last() + 1; i <= n; i++ {
		answers := ""
		if i%8 != 0 {
			answers = fmt.Sprintf("In-Reply-To: <%d@mail.example.com>\r\n", i-1-i%3)
		}
		m := fmt.Sprintf("From: Person %d <p%d@example.com>\r\nSubject: Re: thread %d\r\nMessage-ID: <%d@mail.example.com>\r\n%s\r\nOn some day somebody wrote:\r\n> %s\r\n%s", i%300, i%300, i/8, i, answers, text[:60], text)
		if err := im.Add(i, archive.Post{Time: began.Add(time.Duration(i) * 37 * time.Minute), Content: strings.NewReader(m)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkPages makes the pages of an archive, and then those of one post more. POSTS
// says how many there are.
func BenchmarkPages(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("POSTS"))
	n = max(n, 1000)
	l := newList(b)
	many(b, l, n)
	cpu := func() float64 { // whatever else the machine does
		var u syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
	}
	b.Run("all", func(b *testing.B) {
		before := cpu()
		for range b.N {
			if err := l.Anew(); err != nil {
				b.Fatal(err)
			}
			update(b, l)
		}
		b.ReportMetric((cpu()-before)/float64(b.N)/float64(n), "cpu-ms/post")
	})
	b.Run("one", func(b *testing.B) {
		took := 0.0
		for range b.N {
			b.StopTimer()
			last, _ := l.Posts.Last()
			many(b, l, last+1)
			b.StartTimer()
			before := cpu()
			update(b, l)
			took += cpu() - before
		}
		b.ReportMetric(took/float64(b.N), "cpu-ms/op")
	})
}
