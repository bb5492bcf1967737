_framepackctl() {
    # Bash has split words at = and : too, which framepackctl does not: words without a blank between belong together.
    local rest=${COMP_LINE:0:COMP_POINT} words=() word blank
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        # The last word ends at the cursor.
        word=${rest:0:${#word}}
        if [[ -n $blank || ${#words[@]} -eq 0 ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        rest=${rest#"$word"}
    done
    local index=$((${#words[@]} - 1))
    # What Bash takes for the word before the one at the cursor is not part of the answer.
    local before=${words[index]%"$2"}
    local IFS=$'\013'
    COMPREPLY=($(_CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX="$index" VARIABLE=bash PROGRAM -- "${words[@]}" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:,] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _framepackctl framepackctl 2>/dev/null ||
    complete -o bashdefault -F _framepackctl framepackctl
