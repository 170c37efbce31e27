package desired

// LogBatch is a stretch of one container's output on its way to Logs.
//
// Source names the file the bytes come from, and From and To are positions in
// it. The receiver keeps To beside the stream and ignores what it already has,
// so a batch may be sent again after a crash on either side.
type LogBatch struct {
	Target LogTarget  `json:"target"`
	Source string     `json:"source"`
	From   int64      `json:"from"`
	To     int64      `json:"to"`
	Events []LogEvent `json:"events"`
}

// LogEvent is one line (or multi-line event) of output. Timestamp is in
// milliseconds since the epoch, as CloudWatch Logs counts.
type LogEvent struct {
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}
