package dev.trackside.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Collects events. What it answers as accepted is durable in the queue.
 * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
 * as user name. An event's or a delivery's own key goes before it.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class CollectorServiceGrpc {

  private CollectorServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "trackside.v1.CollectorService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.trackside.v1.CollectRequest,
      dev.trackside.v1.CollectResponse> getCollectMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Collect",
      requestType = dev.trackside.v1.CollectRequest.class,
      responseType = dev.trackside.v1.CollectResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.trackside.v1.CollectRequest,
      dev.trackside.v1.CollectResponse> getCollectMethod() {
    io.grpc.MethodDescriptor<dev.trackside.v1.CollectRequest, dev.trackside.v1.CollectResponse> getCollectMethod;
    if ((getCollectMethod = CollectorServiceGrpc.getCollectMethod) == null) {
      synchronized (CollectorServiceGrpc.class) {
        if ((getCollectMethod = CollectorServiceGrpc.getCollectMethod) == null) {
          CollectorServiceGrpc.getCollectMethod = getCollectMethod =
              io.grpc.MethodDescriptor.<dev.trackside.v1.CollectRequest, dev.trackside.v1.CollectResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Collect"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectResponse.getDefaultInstance()))
              .setSchemaDescriptor(new CollectorServiceMethodDescriptorSupplier("Collect"))
              .build();
        }
      }
    }
    return getCollectMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest,
      dev.trackside.v1.CollectBatchResponse> getCollectBatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CollectBatch",
      requestType = dev.trackside.v1.CollectBatchRequest.class,
      responseType = dev.trackside.v1.CollectBatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest,
      dev.trackside.v1.CollectBatchResponse> getCollectBatchMethod() {
    io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest, dev.trackside.v1.CollectBatchResponse> getCollectBatchMethod;
    if ((getCollectBatchMethod = CollectorServiceGrpc.getCollectBatchMethod) == null) {
      synchronized (CollectorServiceGrpc.class) {
        if ((getCollectBatchMethod = CollectorServiceGrpc.getCollectBatchMethod) == null) {
          CollectorServiceGrpc.getCollectBatchMethod = getCollectBatchMethod =
              io.grpc.MethodDescriptor.<dev.trackside.v1.CollectBatchRequest, dev.trackside.v1.CollectBatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CollectBatch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectBatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectBatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new CollectorServiceMethodDescriptorSupplier("CollectBatch"))
              .build();
        }
      }
    }
    return getCollectBatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest,
      dev.trackside.v1.CollectBatchResponse> getCollectStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CollectStream",
      requestType = dev.trackside.v1.CollectBatchRequest.class,
      responseType = dev.trackside.v1.CollectBatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest,
      dev.trackside.v1.CollectBatchResponse> getCollectStreamMethod() {
    io.grpc.MethodDescriptor<dev.trackside.v1.CollectBatchRequest, dev.trackside.v1.CollectBatchResponse> getCollectStreamMethod;
    if ((getCollectStreamMethod = CollectorServiceGrpc.getCollectStreamMethod) == null) {
      synchronized (CollectorServiceGrpc.class) {
        if ((getCollectStreamMethod = CollectorServiceGrpc.getCollectStreamMethod) == null) {
          CollectorServiceGrpc.getCollectStreamMethod = getCollectStreamMethod =
              io.grpc.MethodDescriptor.<dev.trackside.v1.CollectBatchRequest, dev.trackside.v1.CollectBatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CollectStream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectBatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.trackside.v1.CollectBatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new CollectorServiceMethodDescriptorSupplier("CollectStream"))
              .build();
        }
      }
    }
    return getCollectStreamMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static CollectorServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<CollectorServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<CollectorServiceStub>() {
        @java.lang.Override
        public CollectorServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new CollectorServiceStub(channel, callOptions);
        }
      };
    return CollectorServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static CollectorServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<CollectorServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<CollectorServiceBlockingV2Stub>() {
        @java.lang.Override
        public CollectorServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new CollectorServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return CollectorServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static CollectorServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<CollectorServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<CollectorServiceBlockingStub>() {
        @java.lang.Override
        public CollectorServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new CollectorServiceBlockingStub(channel, callOptions);
        }
      };
    return CollectorServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static CollectorServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<CollectorServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<CollectorServiceFutureStub>() {
        @java.lang.Override
        public CollectorServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new CollectorServiceFutureStub(channel, callOptions);
        }
      };
    return CollectorServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * One event. Refused: INVALID_ARGUMENT with google.rpc.BadRequest and an ErrorInfo whose reason is a Reason;
     * overloaded: RESOURCE_EXHAUSTED, queue unavailable: UNAVAILABLE, both with google.rpc.RetryInfo.
     * </pre>
     */
    default void collect(dev.trackside.v1.CollectRequest request,
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCollectMethod(), responseObserver);
    }

    /**
     * <pre>
     * Many events, of any kinds and sources. Valid ones are kept when others are refused; an outcome comes back
     * for each, by index. A call that names a delivery that is not there is refused whole, with INVALID_ARGUMENT.
     * </pre>
     */
    default void collectBatch(dev.trackside.v1.CollectBatchRequest request,
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCollectBatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * CollectBatch again and again: each message is answered before the next is read. Beside a call for each, where few
     * events go at a time, it takes a third of gRPC's time. A service that stops ends the stream with OK. What has no
     * answer then is to be sent again, as after UNAVAILABLE; what ended a stream with another code would do so again.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchRequest> collectStream(
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getCollectStreamMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service CollectorService.
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public static abstract class CollectorServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return CollectorServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service CollectorService.
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public static final class CollectorServiceStub
      extends io.grpc.stub.AbstractAsyncStub<CollectorServiceStub> {
    private CollectorServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected CollectorServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new CollectorServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event. Refused: INVALID_ARGUMENT with google.rpc.BadRequest and an ErrorInfo whose reason is a Reason;
     * overloaded: RESOURCE_EXHAUSTED, queue unavailable: UNAVAILABLE, both with google.rpc.RetryInfo.
     * </pre>
     */
    public void collect(dev.trackside.v1.CollectRequest request,
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCollectMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Many events, of any kinds and sources. Valid ones are kept when others are refused; an outcome comes back
     * for each, by index. A call that names a delivery that is not there is refused whole, with INVALID_ARGUMENT.
     * </pre>
     */
    public void collectBatch(dev.trackside.v1.CollectBatchRequest request,
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCollectBatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CollectBatch again and again: each message is answered before the next is read. Beside a call for each, where few
     * events go at a time, it takes a third of gRPC's time. A service that stops ends the stream with OK. What has no
     * answer then is to be sent again, as after UNAVAILABLE; what ended a stream with another code would do so again.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchRequest> collectStream(
        io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getCollectStreamMethod(), getCallOptions()), responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service CollectorService.
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public static final class CollectorServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<CollectorServiceBlockingV2Stub> {
    private CollectorServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected CollectorServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new CollectorServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * One event. Refused: INVALID_ARGUMENT with google.rpc.BadRequest and an ErrorInfo whose reason is a Reason;
     * overloaded: RESOURCE_EXHAUSTED, queue unavailable: UNAVAILABLE, both with google.rpc.RetryInfo.
     * </pre>
     */
    public dev.trackside.v1.CollectResponse collect(dev.trackside.v1.CollectRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCollectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Many events, of any kinds and sources. Valid ones are kept when others are refused; an outcome comes back
     * for each, by index. A call that names a delivery that is not there is refused whole, with INVALID_ARGUMENT.
     * </pre>
     */
    public dev.trackside.v1.CollectBatchResponse collectBatch(dev.trackside.v1.CollectBatchRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCollectBatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CollectBatch again and again: each message is answered before the next is read. Beside a call for each, where few
     * events go at a time, it takes a third of gRPC's time. A service that stops ends the stream with OK. What has no
     * answer then is to be sent again, as after UNAVAILABLE; what ended a stream with another code would do so again.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<dev.trackside.v1.CollectBatchRequest, dev.trackside.v1.CollectBatchResponse>
        collectStream() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getCollectStreamMethod(), getCallOptions());
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service CollectorService.
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public static final class CollectorServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<CollectorServiceBlockingStub> {
    private CollectorServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected CollectorServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new CollectorServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event. Refused: INVALID_ARGUMENT with google.rpc.BadRequest and an ErrorInfo whose reason is a Reason;
     * overloaded: RESOURCE_EXHAUSTED, queue unavailable: UNAVAILABLE, both with google.rpc.RetryInfo.
     * </pre>
     */
    public dev.trackside.v1.CollectResponse collect(dev.trackside.v1.CollectRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCollectMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Many events, of any kinds and sources. Valid ones are kept when others are refused; an outcome comes back
     * for each, by index. A call that names a delivery that is not there is refused whole, with INVALID_ARGUMENT.
     * </pre>
     */
    public dev.trackside.v1.CollectBatchResponse collectBatch(dev.trackside.v1.CollectBatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCollectBatchMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service CollectorService.
   * <pre>
   * Collects events. What it answers as accepted is durable in the queue.
   * The write key may be given once for a call, as `authorization` metadata: `Bearer KEY`, or `Basic` with the key
   * as user name. An event's or a delivery's own key goes before it.
   * </pre>
   */
  public static final class CollectorServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<CollectorServiceFutureStub> {
    private CollectorServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected CollectorServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new CollectorServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * One event. Refused: INVALID_ARGUMENT with google.rpc.BadRequest and an ErrorInfo whose reason is a Reason;
     * overloaded: RESOURCE_EXHAUSTED, queue unavailable: UNAVAILABLE, both with google.rpc.RetryInfo.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.trackside.v1.CollectResponse> collect(
        dev.trackside.v1.CollectRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCollectMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Many events, of any kinds and sources. Valid ones are kept when others are refused; an outcome comes back
     * for each, by index. A call that names a delivery that is not there is refused whole, with INVALID_ARGUMENT.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.trackside.v1.CollectBatchResponse> collectBatch(
        dev.trackside.v1.CollectBatchRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCollectBatchMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_COLLECT = 0;
  private static final int METHODID_COLLECT_BATCH = 1;
  private static final int METHODID_COLLECT_STREAM = 2;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_COLLECT:
          serviceImpl.collect((dev.trackside.v1.CollectRequest) request,
              (io.grpc.stub.StreamObserver<dev.trackside.v1.CollectResponse>) responseObserver);
          break;
        case METHODID_COLLECT_BATCH:
          serviceImpl.collectBatch((dev.trackside.v1.CollectBatchRequest) request,
              (io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_COLLECT_STREAM:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.collectStream(
              (io.grpc.stub.StreamObserver<dev.trackside.v1.CollectBatchResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getCollectMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.trackside.v1.CollectRequest,
              dev.trackside.v1.CollectResponse>(
                service, METHODID_COLLECT)))
        .addMethod(
          getCollectBatchMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.trackside.v1.CollectBatchRequest,
              dev.trackside.v1.CollectBatchResponse>(
                service, METHODID_COLLECT_BATCH)))
        .addMethod(
          getCollectStreamMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              dev.trackside.v1.CollectBatchRequest,
              dev.trackside.v1.CollectBatchResponse>(
                service, METHODID_COLLECT_STREAM)))
        .build();
  }

  private static abstract class CollectorServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    CollectorServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return dev.trackside.v1.CollectorServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("CollectorService");
    }
  }

  private static final class CollectorServiceFileDescriptorSupplier
      extends CollectorServiceBaseDescriptorSupplier {
    CollectorServiceFileDescriptorSupplier() {}
  }

  private static final class CollectorServiceMethodDescriptorSupplier
      extends CollectorServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    CollectorServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (CollectorServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new CollectorServiceFileDescriptorSupplier())
              .addMethod(getCollectMethod())
              .addMethod(getCollectBatchMethod())
              .addMethod(getCollectStreamMethod())
              .build();
        }
      }
    }
    return result;
  }
}
