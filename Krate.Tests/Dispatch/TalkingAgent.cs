namespace Krate.Tests.Dispatch;

/// <summary>
/// A program in bash that takes up sessions: each turn it says how many there were in the session, what it was told last and which files are there, and makes
/// one more file. Where it has an argument, its first turn ends when it
/// has leave to; told to fail, it does.
/// </summary>
internal static class TalkingAgent
{
    public const string Text = """
        #!/bin/bash
        say() { printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":%s}}\n' "$1"; }
        tell() { say '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'"$1"'"}}'; }
        reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%,*}
          case $line in
            *'"method":"initialize"'*) reply '{"protocolVersion":1,"agentInfo":{"name":"talker","version":"1"},"agentCapabilities":{"loadSession":true}}' ;;
            *'"method":"session/new"'*) echo 0 > "$HOME/turns"; reply '{"sessionId":"s1"}' ;;
            *'"method":"session/load"'*)
              [[ -r $HOME/turns ]] || { printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32002,"message":"no such session"}}\n' "$id"; continue; }
              tell 'old words '; reply '{}' ;;
            *'"method":"session/prompt"'*)
              turn=$(($(cat "$HOME/turns") + 1)); echo "$turn" > "$HOME/turns"
              asks=${line##*\"text\":\"}; asks=${asks%%\"*}
              tell "[turn $turn: ${asks:0:40} files:$(ls | tr '\n' ' ')]"
              touch "made-$turn"
              [[ $asks == *fail* ]] && exit 6
              [[ $turn == 1 && -n $1 ]] && printf '%s\n' '{"jsonrpc":"2.0","id":77,"method":"session/request_permission","params":{"sessionId":"s1","toolCall":{"toolCallId":"t1","title":"Wait","kind":"other"},"options":[{"optionId":"no","kind":"reject_once","name":"No"},{"optionId":"yes","kind":"allow_once","name":"Yes"}]}}' && prompt=$id && continue
              reply '{"stopReason":"end_turn"}' ;;
            *'"id":77,'*) id=$prompt; reply '{"stopReason":"end_turn"}' ;;
          esac
        done
        """;
}
