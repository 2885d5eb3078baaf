using System.Text;
using KpiDashboard.Connectors.N8n;
using Xunit;

namespace KpiDashboard.Tests.Connectors.N8n;

/// <summary>Why a run failed is found amid everything else, wherever the answer is cut into pieces, and no further is read.</summary>
[Trait("Clock", "none")]
public sealed class N8nFailureTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private const string Before =
        """{"id":"7","data":{"startData":{},"resultData":{"runData":{"Start":[{"error":{"message":"no"},"data":{"resultData":{"error":{"message":"no"}}},"x":[[{"name":"no"}]]}]},"lastNodeExecuted":"Start","error":""";

    public static TheoryData<string, string?, string?> Answers => new()
    {
        { Before + """{"message":"Böse 🚀","node":{"parameters":{"name":"no","message":"no"},"name":"HTTP \"x\""}}}},"more":1}""", "Böse 🚀", "HTTP \"x\"" },
        { Before + """{"node":{"name":"First"},"context":{"message":"no"},"messages":["no"],"message":"Then"}}}}""", "Then", "First" },
        { Before + """{"node":"Plain","description":"Only that","cause":{"message":"no"}}}}}""", "Only that", "Plain" },
        { Before + """{"message":"half \ud83d of it","stack":"…"}}}}""", "half \uFFFD of it", null },
        { Before + """{"message":{"message":"no"},"node":[{"name":"no"}]}}}}""", null, null },
        { Before + """null}}}""", null, null },
        { Before + "\"text\"}}}", null, null },
        { """{"data":null,"resultData":{"error":{"message":"no"}}}""", null, null },
        { """{"data":{"resultData":{"runData":{}}},"error":{"message":"no"}}""", null, null },
        { """{"data":"[{\"resultData\":1}]"}""", null, null },
        { """[{"data":{"resultData":{"error":{"message":"no"}}}}]""", null, null },
        { """{"message":"no"}""", null, null },
        { "", null, null },
        { "<html>", null, null },
        // What breaks off behind the sentence has said it.
        { Before + """{"message":"Said","stack":"abc""", "Said", null },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_error_of_the_run_is_found_and_none_that_only_looks_like_it(string answer, string? message, string? node)
    {
        var bytes = Encoding.UTF8.GetBytes(answer);
        foreach (var piece in (int[])[1, 2, 3, 7, 64, 16 * 1024])
            Assert.Equal((message, node), await N8nFailure.ReadAsync(new Pieces(bytes, piece), Ct));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100_000, true)]
    [InlineData(4_900_000, true)]
    [InlineData(5_300_000, false)]
    public async Task Data_before_it_may_be_large_but_not_as_large_as_it_likes(int size, bool found)
    {
        foreach (var isOne in (bool[])[true, false])
        {
            // One long text, or many short ones.
            var data = isOne ? new string('x', size) : string.Join("\",\"", Enumerable.Repeat(new string('y', 97), size / 100));
            var answer = "{\"data\":{\"resultData\":{\"runData\":[\"" + data + "\"],\"error\":{\"message\":\"M\",\"node\":{\"name\":\"N\"}}}}}";
            var stream = new Pieces(Encoding.UTF8.GetBytes(answer), 1460);
            Assert.Equal(found ? ("M", "N") : ((string?)null, (string?)null), await N8nFailure.ReadAsync(stream, Ct));
            Assert.InRange(stream.Position, 0, N8nFailure.MaxBytes);
        }
    }

    [Fact]
    public async Task Nothing_is_read_once_the_error_was_and_a_source_that_stops_there_keeps_nobody_waiting()
    {
        var answer = Encoding.UTF8.GetBytes(Before + """{"message":"M","node":{"name":"N"}}""");
        var stream = new Pieces([.. answer, .. Encoding.UTF8.GetBytes("," + new string('x', 3_000_000))], 200);
        Assert.Equal(("M", "N"), await N8nFailure.ReadAsync(stream, Ct));
        Assert.InRange(stream.Position, answer.Length, answer.Length + 200);
        Assert.Equal(("M", "N"), await N8nFailure.ReadAsync(new Pieces(answer, 50, hangs: true), Ct).WaitAsync(TimeSpan.FromSeconds(20), Ct));
    }

    [Fact]
    public async Task Data_may_be_nested_deep()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"a":[""", 1000)) + "1" + string.Concat(Enumerable.Repeat("]}", 1000));
        var answer = "{\"data\":{\"x\":" + deep + ",\"resultData\":{\"error\":{\"message\":\"M\"}}}}";
        Assert.Equal(("M", null), await N8nFailure.ReadAsync(new Pieces(Encoding.UTF8.GetBytes(answer), 512), Ct));
    }

    /// <summary>Gives so many bytes at a time, as a network does.</summary>
    private sealed class Pieces(byte[] bytes, int piece, bool hangs = false) : Stream
    {
        private int _at;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => bytes.Length;
        public override long Position { get => _at; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(Math.Min(piece, buffer.Length), bytes.Length - _at);
            if (count == 0 && hangs) await Task.Delay(Timeout.Infinite, cancellationToken);
            bytes.AsSpan(_at, count).CopyTo(buffer.Span);
            _at += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
