package serve

import (
	"strings"

	"superlist/lists/quota"
	"superlist/lists/web/api"
	"superlist/queue"
	"superlist/smtp"
)

// apiPath returns the path of a request by a program; ok is false for any other.
func (a *answer) apiPath() (path string, ok bool) {
	_, path, ok = a.Site.Web.Domain(a.r.Host, a.r.URL.EscapedPath())
	if !ok || !a.Site.Web.Requests {
		return "", false
	}
	return strings.CutPrefix(path, api.Path)
}

// api answers a program.
func (a *answer) api(path string) {
	q := a.request(smtp.Path{})
	s := api.Server{Site: a.Site, Log: a.Log, Now: a.now, Client: q.Client, Sleep: a.Sleep}
	if customer := quota.Customer(q.Network); customer.IsValid() {
		s.Share = queue.ShareOf(customer.String())
	}
	s.Serve(a.w, a.r, path)
}
