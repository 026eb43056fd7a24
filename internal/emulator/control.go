package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// control serves /_emulator/: behaviours (POST one, DELETE all) and requests (GET what was counted).
func (e *Emulator) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/_emulator/") {
	case "POST behaviours":
		var s script
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e.Set(s.Match, s.Behaviour)
		w.WriteHeader(http.StatusNoContent)
	case "DELETE behaviours":
		e.Clear()
		w.WriteHeader(http.StatusNoContent)
	case "GET requests":
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(e.Counts())
	default:
		http.NotFound(w, r)
	}
}
