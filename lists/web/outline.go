package web

import (
	"bytes"
	"fmt"
	"html/template"
)

// maxOutline is how many posts the outline of a thread names, and maxIndent how deep it
// nests them: deeper ones stay on that level.
const (
	maxOutline = 1000
	maxIndent  = 8
)

// outline writes who answered whom in a thread, as nested lists. href returns the
// address of a post.
func (l *List) outline(b *book, gone map[string]int, href func(i int) string) template.HTML {
	if len(b.entries) < 2 {
		return ""
	}
	n := min(len(b.entries), maxOutline)
	children := make([][]int, n)
	var roots []int
	for i, e := range b.entries[:n] {
		if p := b.parent(e, gone); p >= 0 && p < n {
			children[p] = append(children[p], i)
		} else {
			roots = append(roots, i)
		}
	}
	o := &outliner{l: l, b: b, children: children, seen: make([]bool, n), href: href}
	o.level(roots, 1)
	for i := range n { // posts that answer each other in a circle
		if !o.seen[i] {
			o.level([]int{i}, 1)
		}
	}
	return template.HTML(o.out.String())
}

type outliner struct {
	l        *List
	b        *book
	children [][]int
	seen     []bool
	href     func(int) string
	out      bytes.Buffer
}

func (o *outliner) level(list []int, depth int) {
	o.out.WriteString("<ol>\n")
	for _, i := range list {
		o.item(i, depth)
	}
	o.out.WriteString("</ol>\n")
}

func (o *outliner) item(i, depth int) {
	if o.seen[i] {
		return
	}
	o.seen[i] = true
	it := o.l.item(o.b.entries[i], "")
	o.out.WriteString(`<li><a href="`)
	escape(&o.out, o.href(i))
	o.out.WriteString(`"><bdi>`)
	escape(&o.out, it.Author)
	o.out.WriteString("</bdi>")
	if i > 0 && !sameSubject(o.b.entries[0].Subject, o.b.entries[i].Subject) {
		o.out.WriteString(": <bdi>")
		escape(&o.out, it.Subject)
		o.out.WriteString("</bdi>")
	}
	fmt.Fprintf(&o.out, `</a> <time datetime="%s">%s</time>`, it.ISO, it.Day)
	switch below := o.children[i]; {
	case len(below) == 0:
		o.out.WriteString("</li>\n")
	case depth < maxIndent:
		o.out.WriteByte('\n')
		o.level(below, depth+1)
		o.out.WriteString("</li>\n")
	default:
		o.out.WriteString("</li>\n")
		for _, j := range below {
			o.item(j, depth)
		}
	}
}
