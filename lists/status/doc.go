// Package status reports the state of a site: its lists and members, what waits in the
// queue and for how long, how much mail it has handled, free space on its disks, and
// its certificates. It only reads. The operator sees the result (superlist status), and
// so does a monitoring system (Metrics).
//
// It keeps no index. Counting ten thousand lists with a million members takes about a
// second: one small file and one members file for each list. deliver writes the metrics
// once a minute, but counts only once an hour and keeps the result (Census).
//
// It does not know what sessions refuse: see package logfile.
package status
