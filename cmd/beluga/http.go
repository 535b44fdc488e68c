package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/source/signal"
)

const (
	// maxSignal bounds the body of a request.
	maxSignal = 64 << 10
	// keptNotices is how many notifications GET /notifications knows.
	keptNotices = 1000
	httpTimeout = 30 * time.Second
)

// notices keeps the last notifications.
type notices struct {
	mu   sync.Mutex
	list []pipeline.Notification
}

func (n *notices) add(x pipeline.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) == keptNotices {
		n.list = append(n.list[:0], n.list[1:]...)
	}
	n.list = append(n.list, x)
}

func (n *notices) all() []pipeline.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]pipeline.Notification{}, n.list...)
}

// server answers HTTP requests of a run.
type server struct {
	post    func(context.Context, pipeline.Signal) error
	notices *notices
	metrics *metrics
	log     *slog.Logger
}

// listen opens the address before anything is read, so that one that is taken
// ends the run at once.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("http.address: %w; remedy: choose an address of this machine with a free port", err)
	}
	return l, nil
}

// serve answers until ctx ends.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{Handler: s.handler(), ReadHeaderTimeout: httpTimeout, ReadTimeout: httpTimeout, BaseContext: func(net.Listener) context.Context { return ctx }}
	s.log.Info("listening", "address", l.Addr())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("answering at %s: %w", l.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return h.Close()
	})
	return g.Wait()
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /notifications", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, http.StatusOK, s.notices.all()) })
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("POST /signals", s.signal)
	return mux
}

// signal takes {"id": …, "type": …, "data": …}. As in Debezium's table data is a
// text that holds JSON; JSON itself is taken too.
func (s *server) signal(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID   string          `json:"id"`
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSignal))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		s.refuse(w, http.StatusBadRequest, fmt.Errorf(`the body is not {"id": …, "type": …, "data": …}: %w`, err))
		return
	}
	sig := pipeline.Signal{ID: in.ID, Type: in.Type, Data: string(in.Data)}
	var text string
	if json.Unmarshal(in.Data, &text) == nil {
		sig.Data = text
	}
	if _, err := signal.Parse(sig); err != nil {
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	if sig.ID == "" {
		sig.ID = uuid.NewString()
	}
	if err := s.post(r.Context(), sig); err != nil {
		s.refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	s.answer(w, http.StatusAccepted, map[string]string{"id": sig.ID})
}

func (s *server) refuse(w http.ResponseWriter, code int, err error) {
	s.answer(w, code, map[string]string{"error": err.Error()})
}

func (s *server) answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Warn("answering a request", "error", err)
	}
}
