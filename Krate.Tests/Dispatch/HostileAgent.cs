namespace Krate.Tests.Dispatch;

/// <summary>A program in bash that begins as an agent does; what it does in its turn is its first argument.</summary>
internal static class HostileAgent
{
    public const string Text = """
        #!/bin/bash
        say() { printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":%s}}\n' "$1"; }
        tell() { say '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'"$1"'"}}'; }
        reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
        ends() { reply '{"stopReason":"end_turn"}'; }
        reaches() {
          local got=
          for path in "$1" "$1/krate.db" "$1/keys" "$1/workspaces/victim/keep" /proc/1/environ /root/.ssh /etc/shadow /var/run/docker.sock; do
            [[ -r $path ]] && { [[ $path != /proc/1/environ ]] || grep -qa KRATE_TEST_CANARY "$path"; } && got+=" $path"
          done
          for host in "127.0.0.1/$2" 169.254.169.254/80 10.0.0.1/80; do
            timeout 2 bash -c "exec 3<> /dev/tcp/$host" 2> /dev/null && got+=" $host"
          done
          for file in ../outside /workspace/../outside /usr/outside /tmp/../outside; do
            (echo x > "$file") 2> /dev/null && got+=" $file"
          done
          (( $(ls -d /proc/[0-9]* | wc -l) > 14 )) && got+=' processes'
          kill -9 1 2> /dev/null; unshare -r true 2> /dev/null && mount -t tmpfs none /mnt 2> /dev/null && got+=' mount'
          # For whoever looks at the workspace afterwards.
          ln -s "$1" out; ln -s /etc/passwd passwd.txt; mkdir -p nested/.git/hooks .git/hooks
          printf '#!/bin/sh\ntouch %s/hooked\n' "$1" | tee .git/hooks/post-checkout .git/hooks/pre-commit .git/hooks/post-index-change > nested/.git/hooks/pre-commit
          chmod +x .git/hooks/* nested/.git/hooks/*
          printf '[core]\n\tfsmonitor = "touch %s/monitored"\n[filter "x"]\n\tclean = "touch %s/filtered"\n[diff "x"]\n\ttextconv = "touch %s/converted"\n' "$1" "$1" "$1" >> .git/config
          echo '* filter=x diff=x' > .gitattributes; echo changed >> a.txt
          tell "reached:$got."
        }
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%,*}
          case $line in
            *'"method":"initialize"'*) reply '{"protocolVersion":1,"agentInfo":{"name":"hostile","version":"1"},"agentCapabilities":{}}' ;;
            *'"method":"session/new"'*) reply '{"sessionId":"s1"}' ;;
            *'"method":"session/cancel"'*) ;;
            *'"method":"session/prompt"'*)
              case $1 in
                malformed) echo '{this is no JSON' ;;
                long-line) printf '{"jsonrpc":"2.0","method":"'; head -c 100000000 /dev/zero | tr '\0' x; sleep 600 ;;
                unknown)
                  say '{"sessionUpdate":"quantum_leap","of":"faith"}'; say '{"no":"kind"}'
                  printf '{"jsonrpc":"2.0","method":"fs/read","params":7}\n{"jsonrpc":"2.0","id":5,"method":"fs/read_text_file","params":{"path":"/etc/passwd"}}\n{"jsonrpc":"2.0","id":99,"result":{}}\n'
                  read -r answer; [[ $answer == *'"code":-32601'* ]] && tell 'refused'; ends ;;
                twice) ends; ends; sleep 600 ;;
                many) for ((i = 0; i < 20000; i++)); do say '{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"x"}}'; done; ends ;;
                dies-asking) printf '%s\n' '{"jsonrpc":"2.0","id":77,"method":"session/request_permission","params":{"sessionId":"s1","toolCall":{"toolCallId":"t1","title":"Write","kind":"edit"},"options":[{"optionId":"no","kind":"reject_once","name":"No"},{"optionId":"yes","kind":"allow_once","name":"Yes"}]}}'; sleep 1; exit 5 ;;
                fills) tell 'filling'; for ((i = 0; i < 64; i++)); do head -c 4000000 /dev/zero > "f$i"; done; sleep 600 ;;
                deaf) tell 'deaf'; exec bash -c "trap '' TERM INT; exec -a $2 sleep 600" ;;
                leaks) tell "the key is $2"; tell "$3"; echo "$2$3" > leaked.txt; ends ;;
                connects)
                  exec 3<> /dev/tcp/127.0.0.1/3128; printf 'CONNECT %s HTTP/1.1\r\n\r\n' "$2" >&3
                  read -r _ status _ <&3
                  [[ $status == 200 ]] && read -r _ <&3 && read -r status <&3
                  tell "$status"; ends ;;
                escapes) reaches "$2" "$3"; ends ;;
              esac ;;
          esac
        done
        """;
}
