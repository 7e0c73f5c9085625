using System.Text;
using Krate.Core.Resources;
using Krate.Tests.Repositories;
using Xunit;

namespace Krate.Tests.Runs;

[Collection(typeof(GitCollection))]
public sealed class LogIndexTests(GitWorld world) : CiWork(world)
{
    [Fact]
    public async Task Lines_read_and_found_are_those_of_splitting_the_text_however_it_came()
    {
        var random = new Random(7);
        string[] words = ["error: x\n", "\n", "\r\n", "Ünïcode ✓\r\n", "no end", "::group::build\n", "::endgroup::\n", new string('z', 9000), "\u001b[31mred\u001b[0m\n", "ab", "aab\n"];
        for (var round = 0; round < 8; round++)
        {
            var (_, _, job) = await NewRunAsync();
            var whole = new StringBuilder();
            for (var i = 0; i < 40; i++)
            {
                var part = words[random.Next(words.Length)];
                await Logs.AppendAsync(job, Encoding.UTF8.GetByteCount(whole.ToString()), new MemoryStream(Encoding.UTF8.GetBytes(part)), Ct);
                whole.Append(part);
                if (i % 5 == 0) await Logs.OpenAsync(job, Ct);
            }

            await Logs.SealAsync(job, Ct);
            var lines = whole.ToString().Split('\n').ToList();
            if (lines[^1].Length == 0) lines.RemoveAt(lines.Count - 1);
            var log = (await Logs.OpenAsync(job, Ct))!;
            var read = await log.ReadLinesAsync(0, 1000, Ct);
            Assert.Equal(lines.Count, log.LineCount);
            Assert.Equal(lines.Select(l => l.Length > 8192 ? l[..8192] : l.EndsWith('\r') ? l[..^1] : l), read.Select(l => l.Text));
            Assert.Equal(Enumerable.Range(1, lines.Count).Select(n => (long)n), read.Select(l => l.Number));
            Assert.All(read, l => Assert.NotNull(l.At));
            foreach (var text in new[] { "AAB", "Error: X", "ünï", "zzzz", "Ünï", "absent" })
            {
                var wanted = lines.Select((l, n) => (l, n: n + 1L)).Where(x => x.l.Contains(text, text.All(char.IsAscii) ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)).Select(x => x.n);
                Assert.Equal(wanted, (await log.SearchAsync(text, 0, 1000, Ct)).Lines);
            }
        }
    }

    [Fact]
    public async Task Groups_are_folded_flat_and_an_open_one_has_no_end()
    {
        var (ci, _, job) = await NewRunAsync();
        await AppendedAsync(ci, job, 0, "start\n::group::Restore packages\na\nb\n::endgroup::\nx\n##[group]Build\r\nc\n::group::Inner\nd\n##[endgroup]\n::group::Open\ne\n");
        var log = (await Logs.OpenAsync(job, Ct))!;
        Assert.Equal([(2L, "Restore packages", 5L), (7, "Build", 8), (9, "Inner", 11), (12, "Open", null)], log.Groups.Select(g => (g.Line, g.Name, g.Last)));
    }
}
