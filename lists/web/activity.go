package web

import (
	"bytes"
	"fmt"
	"html/template"
	"time"
)

// maxActivity is how many months the chart shows.
const maxActivity = 36

const (
	pictureHeight = 120
	widestBar     = 8 // percent of the width
	yearRoom      = 4 // how many bars the number of a year takes up on a narrow screen
)

// activity draws a chart of the last months: posts, and people who wrote them. A table
// below has the same numbers, and the chart's label the total.
func (l *List) activity(months []month) template.HTML {
	months = filled(months)
	if len(months) < 2 {
		return ""
	}
	most, sum := months[0], 0
	for _, m := range months {
		sum += m.Posts
		if m.Posts > most.Posts {
			most = m
		}
	}
	w := l.words
	from, to := months[0], months[len(months)-1]
	text := w.with("activity-text", "from", w.month(from.Month), "to", w.month(to.Month),
		"posts", w.count("posts", sum), "most", most.Posts, "peak", w.month(most.Month))
	var b bytes.Buffer
	b.WriteString(`<section class="activity" aria-labelledby="activity"><h2 id="activity">` + w.html("activity") + "</h2>\n<figure>\n")
	// Horizontally everything is a fraction of the width, so that letters keep their
	// size.
	fmt.Fprintf(&b, `<svg role="img" aria-label="%s" width="100%%" height="%d">`+"\n", escaped(text), pictureHeight+20)
	step := min(100/float64(len(months)), widestBar)
	tall := func(n int) float64 { return max(1.5, float64(n)/float64(max(1, most.Posts))*(pictureHeight-4)) }
	for i, m := range months {
		x := (float64(i) + 0.15) * step
		bar := func(class string, n int) {
			if n > 0 {
				fmt.Fprintf(&b, `<rect class="%s" x="%.2f%%" y="%.1f" width="%.2f%%" height="%.1f"/>`, class, x, pictureHeight-tall(n), 0.7*step, tall(n))
			}
		}
		bar("bar", m.Posts)
		bar("bar2", m.Authors)
		if m.Month[5:] == "01" || i == 0 && months[min(len(months)-1, yearRoom)].Month[:4] == m.Month[:4] {
			fmt.Fprintf(&b, `<text x="%.2f%%" y="%d">%s</text>`, x, pictureHeight+16, escaped(m.Month[:4]))
		}
	}
	fmt.Fprintf(&b, "\n"+`<line class="axis" x1="0" x2="%.2f%%" y1="%d.5" y2="%d.5"/></svg>`+"\n", step*float64(len(months)), pictureHeight, pictureHeight)
	b.WriteString(`<figcaption><span class="key one"></span>` + w.html("activity-posts") + ` <span class="key two"></span>` + w.html("activity-authors") + "</figcaption>\n</figure>\n")
	b.WriteString("<details><summary>" + w.html("activity-numbers") + "</summary>\n<table><thead><tr>")
	for _, name := range []string{"activity-month", "activity-col-posts", "activity-col-authors"} {
		b.WriteString(`<th scope="col">` + w.html(name) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for i := len(months) - 1; i >= 0; i-- {
		m := months[i]
		fmt.Fprintf(&b, `<tr><th scope="row">%s</th><td>%d</td><td>%d</td></tr>`+"\n", escaped(w.month(m.Month)), m.Posts, m.Authors)
	}
	b.WriteString("</tbody></table></details></section>\n")
	return template.HTML(b.String())
}

// filled returns the last months, including those without posts between them.
func filled(months []month) (list []month) {
	if len(months) == 0 {
		return nil
	}
	known := make(map[string]month)
	for _, m := range months {
		known[m.Month] = m
	}
	last, err := time.Parse(monthFormat, months[len(months)-1].Month)
	if err != nil {
		return nil
	}
	for i := maxActivity - 1; i >= 0; i-- {
		name := last.AddDate(0, -i, 0).Format(monthFormat)
		if m, ok := known[name]; ok {
			list = append(list, m)
		} else if len(list) > 0 {
			list = append(list, month{Month: name})
		}
	}
	return list
}
