package serve

import (
	"math"
	"net/http"
	"strings"

	"superlist/lists/search"
	"superlist/lists/web"
)

// search searches for posts, and answers with a page, a feed or an mbox. The names of
// its parameters are those of public-inbox.
func (a *answer) search() {
	asked := a.r.URL.Query()
	text, form := strings.TrimSpace(asked.Get("q")), asked.Get("x")
	q := search.Parse(text)
	below, ok := number(asked.Get("below"))
	if !ok {
		below = math.MaxInt
	}
	most := web.OnePage
	if form == "m" {
		most = web.InMBox
	}
	if form == "m" && (a.web.MBox == web.MBoxOff || q.Empty()) {
		a.note(http.StatusNotFound, "page-missing")
		return
	}
	if q.Empty() {
		a.page(a.web.SearchPage(text, q, nil))
		return
	}
	found, err := a.web.Search(q, below, most)
	if err != nil {
		a.trouble(err)
		return
	}
	switch form {
	case "m":
		a.mbox("search", a.web.SearchMBox(found))
	case "A":
		content, err := a.web.SearchFeed(text, found)
		if err != nil {
			a.failed(err)
			return
		}
		a.w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
		a.w.Write(content)
	default:
		a.page(a.web.SearchPage(text, q, &found))
	}
}

func (a *answer) page(content []byte) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.Write(content)
}
