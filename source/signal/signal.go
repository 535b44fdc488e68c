package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
)

// The types of signals.
const (
	ExecuteSnapshot = "execute-snapshot"
	StopSnapshot    = "stop-snapshot"
	PauseSnapshot   = "pause-snapshot"
	ResumeSnapshot  = "resume-snapshot"
	LogMessage      = "log"
)

// Types lists them.
var Types = []string{ExecuteSnapshot, StopSnapshot, PauseSnapshot, ResumeSnapshot, LogMessage}

// Command is what a signal asks for. Exactly one of its parts is set.
type Command struct {
	Execute *Execute
	Stop    *Stop
	Pause   bool
	Resume  bool
	Log     string // a message; {} stands for the source's position
}

// Execute loads tables again.
type Execute struct {
	Tables []string // regular expressions over the whole of database.table
	// Conditions are SQL, by such expressions: of these tables only the rows that meet
	// it are loaded.
	Conditions map[string]string
	// Blocking: the stream waits until the rows are read.
	Blocking bool
}

// Stop ends loads that were asked for; without Tables, all of them.
type Stop struct{ Tables []string }

// data is the JSON of a signal's data, by Debezium's names.
type data struct {
	Collections []string         `json:"data-collections"`
	Type        string           `json:"type"`
	Conditions  []dataConditions `json:"additional-conditions"`
	Surrogate   string           `json:"surrogate-key"`
	Message     string           `json:"message"`
}

type dataConditions struct {
	Collection string `json:"data-collection"`
	Filter     string `json:"filter"`
}

// Parse reads a signal. Its errors say what to write instead.
func Parse(s pipeline.Signal) (Command, error) {
	switch s.Type {
	case ExecuteSnapshot, StopSnapshot, LogMessage:
	case PauseSnapshot:
		return Command{Pause: true}, nil
	case ResumeSnapshot:
		return Command{Resume: true}, nil
	case "snapshot-window-open", "snapshot-window-close":
		return Command{}, errors.New("it is a mark that Debezium writes for itself")
	default:
		return Command{}, fmt.Errorf("the type %q is none of %s", s.Type, strings.Join(Types, ", "))
	}
	d, err := decode(s.Data)
	if err != nil {
		return Command{}, err
	}
	switch s.Type {
	case LogMessage:
		if d.Message == "" {
			return Command{}, errors.New(`the data has no message; write {"message": "…"}`)
		}
		return Command{Log: d.Message}, nil
	case StopSnapshot:
		return Command{Stop: &Stop{d.Collections}}, checkPatterns(d.Collections)
	}
	e, err := d.execute()
	return Command{Execute: e}, err
}

// decode reads the data. A name that is not known is refused: it would be passed
// over in silence.
func decode(text string) (d data, err error) {
	if strings.TrimSpace(text) == "" {
		return d, nil
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return d, fmt.Errorf("the data %.200q is not what the signal takes: %w", text, err)
	}
	if dec.More() {
		return d, fmt.Errorf("the data %.200q is more than one JSON value", text)
	}
	return d, nil
}

func (d *data) execute() (*Execute, error) {
	e := &Execute{}
	switch strings.ToLower(d.Type) {
	case "", "incremental":
	case "blocking":
		e.Blocking = true
	default:
		return nil, fmt.Errorf("the snapshot's type %q is neither incremental nor blocking", d.Type)
	}
	if d.Surrogate != "" {
		return nil, errors.New("surrogate-key is not needed: tables are read by their own key, and those without one as a whole; leave it out")
	}
	if len(d.Collections) == 0 {
		return nil, errors.New(`it names no tables; write {"data-collections": ["database\\.table"]}`)
	}
	if err := checkPatterns(d.Collections); err != nil {
		return nil, err
	}
	e.Tables, e.Conditions = d.Collections, map[string]string{}
	for _, c := range d.Conditions {
		if err := checkPatterns([]string{c.Collection}); err != nil {
			return nil, err
		}
		if where := strings.TrimSpace(c.Filter); where == "" || isSelect.MatchString(where) {
			return nil, fmt.Errorf("the filter %q of %s is no condition: write what stands behind WHERE", c.Filter, c.Collection)
		}
		e.Conditions[c.Collection] = c.Filter
	}
	return e, nil
}

var isSelect = regexp.MustCompile(`(?i)^select\b`)

func checkPatterns(texts []string) error {
	for _, t := range texts {
		if _, err := regexp.Compile(t); err != nil {
			return fmt.Errorf("%q is no regular expression over database.table: %w", t, err)
		}
	}
	return nil
}
