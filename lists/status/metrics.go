package status

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/lists/site"
	"superlist/lists/tally"
	"superlist/queue"
)

// A metric is a family of samples. superlist-metrics(5) is generated from them
// (Families).
type metric struct {
	name, kind, help string
	samples          []sample
}

// A Family describes a metric.
type Family struct{ Name, Kind, Help, Label string }

// Families returns all metrics that there can be, for the manual page.
func Families() (all []Family) {
	now := time.Unix(1, 0)
	inodes := int64(1)
	st := &Status{
		Census: Census{At: now}, Queue: []Box{{Box: queue.Inbound}}, Disks: []Disk{{Inodes: &inodes}}, Certificates: []Certificate{{Until: &now}},
		Deliver: Deliver{Began: &now, Digest: &now}, FreshAt: &now,
	}
	for _, m := range st.metrics() {
		all = append(all, Family{m.name, m.kind, m.help, m.samples[0].label})
	}
	return all
}

type sample struct {
	label, value string // label: name="…", or empty
	number       float64
}

// Metrics returns the status in the text format that Prometheus and node_exporter's
// textfile collector read:
// https://prometheus.io/docs/instrumenting/exposition_formats/. Its gauges are valid
// OpenMetrics. Its counters are not: OpenMetrics has _total only in the sample's name,
// which the textfile collector does not understand.
func (st *Status) Metrics() string {
	var b strings.Builder
	for _, m := range st.metrics() {
		if len(m.samples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
		for _, s := range m.samples {
			b.WriteString(m.name)
			if s.label != "" {
				fmt.Fprintf(&b, "{%s=\"%s\"}", s.label, quoteLabel(s.value))
			}
			b.WriteString(" " + strconv.FormatFloat(s.number, 'f', -1, 64) + "\n")
		}
	}
	return b.String()
}

var quoteLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace

func (st *Status) metrics() []metric {
	gauge := func(name, help string, samples ...sample) metric { return metric{name, "gauge", help, samples} }
	one := func(name, help string, n int) metric { return gauge(name, help, sample{number: float64(n)}) }
	c := st.Census
	all := []metric{
		one("superlist_lists", "Lists of this site.", c.Lists),
		one("superlist_lists_faulty", "Lists that cannot be opened.", c.Faulty),
		one("superlist_members", "Members of all lists; somebody on two lists counts twice.", c.Members),
		one("superlist_members_suspended", "Members who get nothing because mail to them came back.", c.Suspended),
		one("superlist_posts_waiting", "Posts that are held and wait for a decision.", c.Held),
		one("superlist_requests_waiting", "People who wait for the owners to let them join.", c.Waiting),
		moments("superlist_counted_timestamp_seconds", "When lists, members and held posts were counted.", &c.At),
	}
	var messages, due, oldest, overdue []sample
	age := func(at *time.Time) float64 {
		if at == nil {
			return 0
		}
		return max(st.At.Sub(*at).Seconds(), 0)
	}
	for _, b := range st.Queue {
		box := string(b.Box)
		messages = append(messages, sample{"box", box, float64(b.Messages)})
		oldest = append(oldest, sample{"box", box, age(b.Oldest)})
		if b.Box != queue.Failed {
			due = append(due, sample{"box", box, float64(b.Due)})
			overdue = append(overdue, sample{"box", box, age(b.Overdue)})
		}
	}
	all = append(all,
		gauge("superlist_queue_messages", "Messages in a box of the spool.", messages...),
		gauge("superlist_queue_due_messages", "Messages that could be worked on now.", due...),
		gauge("superlist_queue_oldest_age_seconds", "How long ago the oldest message of a box came in.", oldest...),
		gauge("superlist_queue_overdue_seconds", "For how long the first of the due messages has waited for a run.", overdue...),
	)
	var bytes, inodes []sample
	for _, d := range st.Disks {
		if d.Error != "" {
			continue
		}
		bytes = append(bytes, sample{"of", d.Of, float64(d.Bytes)})
		if d.Inodes != nil {
			inodes = append(inodes, sample{"of", d.Of, float64(*d.Inodes)})
		}
	}
	all = append(all,
		gauge("superlist_disk_free_bytes", "Free space on the disk of a directory.", bytes...),
		gauge("superlist_disk_free_inodes", "Free inodes on the disk of a directory.", inodes...),
		one("superlist_disk_needed_bytes", "With less free space than this no mail is accepted.", queue.MinFreeBytes),
	)
	var ends []sample
	for _, c := range st.Certificates {
		if c.Until != nil {
			ends = append(ends, sample{"file", c.File, float64(c.Until.Unix())})
		}
	}
	all = append(all,
		gauge("superlist_certificate_expiry_timestamp_seconds", "Until when a certificate is good.", ends...),
		moments("superlist_deliver_timestamp_seconds", "When superlist deliver last began a run.", st.Deliver.Began),
		moments("superlist_digest_timestamp_seconds", "When a digest was last made.", st.Deliver.Digest),
		moments("superlist_cluster_fresh_timestamp_seconds", "When this host's copy of the lists of its cluster was last up to date.", st.FreshAt),
	)
	for _, k := range tally.Kinds {
		all = append(all, metric{"superlist_" + k.Name + "_total", "counter", k.Help, []sample{{number: float64(st.Tally.Counts[k.Name].Total)}}})
	}
	return all
}

// moments returns a metric that is a time; it has no sample if the time is unknown.
func moments(name, help string, at *time.Time) metric {
	m := metric{name, "gauge", help, nil}
	if at != nil && !at.IsZero() {
		m.samples = []sample{{number: float64(at.Unix())}}
	}
	return m
}

// WriteMetrics writes the metrics into the file that the site names, if any.
func WriteMetrics(s *site.Site, began string, now time.Time) (err error) {
	if s.Metrics == "" {
		return nil
	}
	st, err := Of(s, began, now)
	if err != nil {
		return err
	}
	if st.Census, err = lastCensus(s, now); err != nil {
		return err
	}
	unlock, err := s.Disk.Lock(filepath.Dir(s.Metrics))
	if err != nil {
		return err
	}
	defer unlock(&err)
	return s.Disk.Publish(s.Metrics, []byte(st.Metrics()))
}
