package registry

import (
	"io"
	"log/slog"

	"github.com/sirupsen/logrus"
)

// RouteLogs sends what the libraries below us log, distribution's and
// containerd's among them, to logger. They write to logrus's logger of the
// whole process and offer no other way; so it is for main to call this, once.
//
// Distribution reports every request that a client got wrong as an error. Such
// lines, and what is only information, are for debugging.
func RouteLogs(logger *slog.Logger) {
	l := logrus.StandardLogger()
	l.SetOutput(io.Discard)
	l.SetLevel(logrus.WarnLevel)
	l.ReplaceHooks(logrus.LevelHooks{})
	l.AddHook(&slogHook{logger})
}

type slogHook struct{ logger *slog.Logger }

// Levels implements [logrus.Hook].
func (h *slogHook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements [logrus.Hook].
func (h *slogHook) Fire(e *logrus.Entry) error {
	level := slog.LevelError
	switch {
	case e.Message == "response completed with error":
		level = slog.LevelDebug
	case e.Level >= logrus.WarnLevel:
		level = slog.LevelWarn
	}
	fields := make([]slog.Attr, 0, len(e.Data))
	for k, v := range e.Data {
		fields = append(fields, slog.Any(k, v))
	}
	h.logger.LogAttrs(e.Context, level, e.Message, fields...)
	return nil
}
